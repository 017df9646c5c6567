import { headers as newHeaders } from 'nats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseTraceparent } from '../../schemas/traceparent.ts';
import { systemClock } from '../clock.ts';
import { connectLog, type LogConnection } from '../connection.ts';
import { startReactor } from '../reactor.ts';
import { startService } from '../service.ts';
import { createServiceClient } from '../service-client.ts';
import { startTestCollector } from '../testing/collector.ts';
import { eventually } from '../testing/eventually.ts';
import { startTestLog, type TestLog } from '../testing/test-log.ts';
import { createMetrics } from './metrics.ts';
import { startTracing, type Tracing } from './tracing.ts';

const given = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

let testLog: TestLog;
beforeAll(async () => {
  testLog = await startTestLog();
});
afterAll(() => testLog[Symbol.asyncDispose]());

async function connectWith(role: 'ingest' | 'embed', tracing: Tracing | undefined): Promise<LogConnection> {
  const { user, pass: password } = testLog.server.optionsFor(role);
  const telemetry = { metrics: createMetrics(), tracing };
  return connectLog({ url: testLog.server.url, user, password, name: role, clock: systemClock, telemetry });
}

/** Publishes one message with a traceparent in its headers, works on it, and gives the traceparent of what came of it. */
async function throughReactor(connection: LogConnection, traceparent: string): Promise<string | undefined> {
  const reasons: (string | undefined)[] = [];
  const messageHeaders = newHeaders();
  messageHeaders.set('traceparent', traceparent);
  const payload = JSON.stringify({ id: 'w-1', text: 'Forklift operator' });
  await testLog.operator.jetStream.publish('ingest.workers', payload, { headers: messageHeaders });
  const reactor = await startReactor({
    connection,
    worker: 'ingest',
    log: testLog.log,
    handlers: {
      'lakehouse.ingest': (_event, context) => {
        reasons.push(context.traceparent);
        return { kind: 'reject', reason: 'text_refused', message: 'refused here', version: context.sequence };
      },
      'lakehouse.corpus-change': () => ({ kind: 'skip', reason: 'not looked at here' }),
    },
  });
  await eventually('it is worked on', () => reasons.length > 0);
  await reactor.stop(5_000);
  return reasons.at(-1);
}

describe('W3C trace context', () => {
  it('goes through services and reactors as it is where no exporter is configured', async () => {
    const connection = await connectWith('ingest', await startTracing({ tracesUrl: undefined }, 'ingest', 'i'));
    expect(await throughReactor(connection, given)).toBe(given);
    expect(await throughReactor(connection, 'not a traceparent')).toBeUndefined();
    await connection.drain();
  });

  it('is told as spans that belong together where one is', async () => {
    await using collector = await startTestCollector();
    const tracesUrl = `${collector.endpoint}/v1/traces`;
    const tracing = await startTracing({ tracesUrl }, 'embed', 'embed-1');
    const connection = await connectWith('embed', tracing);
    const seen: (string | undefined)[] = [];
    const service = await startService({
      connection,
      name: 'embed',
      version: '1.0.0',
      description: 'for this test',
      log: testLog.log,
      requestsWaitingMax: 10,
      endpoints: {
        'svc.embed.texts': ({ traceparent }) => {
          seen.push(traceparent);
          return { body: '{}' };
        },
        'svc.embed.stats': () => Promise.reject(new Error('the inner life')),
      },
    });
    const client = createServiceClient(testLog.operator);
    const ask = (subject: string, traceparent: string, gather: boolean) =>
      client.request(subject, Buffer.from('{}'), { deadlineMs: 5_000, gather, headers: { traceparent } });
    expect((await ask('svc.embed.texts', given, true)).status).toBe(200);
    expect((await ask('svc.embed.texts', 'malformed', false)).status).toBe(200);
    expect((await ask('svc.embed.stats', given, false)).status).toBe(500);
    client.close();
    await service.stop();
    await tracing?.stop(5_000);
    await connection.drain();

    const [first, second, failed] = collector.spans;
    const cause = parseTraceparent(given);
    expect(collector.spans).toHaveLength(3);
    expect(first).toMatchObject({ service: 'lakehouse-embed', name: 'svc.embed.texts', kind: 2 });
    expect(first).toMatchObject({ traceId: cause?.traceId, parentSpanId: cause?.spanId });
    expect(seen[0]).toBe(`00-${first?.traceId}-${first?.spanId}-01`);
    expect(second?.traceId).not.toBe(cause?.traceId);
    expect(second?.parentSpanId ?? '').toBe('');
    expect(failed).toMatchObject({ name: 'svc.embed.stats', traceId: cause?.traceId, status: { code: 2 } });
    expect(JSON.stringify(failed)).not.toContain('inner life');
  });

  it('links what a reactor does to the event that it works on', async () => {
    await using collector = await startTestCollector();
    const tracing = await startTracing({ tracesUrl: `${collector.endpoint}/v1/traces` }, 'ingest', 'ingest-1');
    const connection = await connectWith('ingest', tracing);
    const handedOn = await throughReactor(connection, given);
    await tracing?.stop(5_000);
    await connection.drain();
    const cause = parseTraceparent(given);
    expect(collector.spans).toMatchObject([
      {
        name: 'ingest process',
        kind: 5,
        traceId: cause?.traceId,
        parentSpanId: cause?.spanId,
        links: [{ traceId: cause?.traceId, spanId: cause?.spanId }],
        status: { code: 2 },
      },
    ]);
    expect(handedOn).toBe(`00-${cause?.traceId}-${collector.spans[0]?.spanId}-01`);
  });

  it('reference 10.39: an exporter that never answers holds nobody up, and takes bounded memory', async () => {
    await using collector = await startTestCollector(false);
    const tracing = await startTracing({ tracesUrl: `${collector.endpoint}/v1/traces` }, 'ingest', 'ingest-1');
    const spans = Array.from({ length: 20_000 }, (_, at) =>
      tracing?.start({ name: `span ${at}`, kind: 'server', parent: given }),
    );
    for (const span of spans) span?.end();
    await eventually('the collector hangs', () => collector.requests() > 0);
    tracing?.start({ name: 'another', kind: 'server', parent: given }).end();
    await tracing?.stop(50);
    // More than wait in its queue were never taken up, and none was answered.
    expect(collector.spans.length).toBeLessThan(20_000);
  });
});
