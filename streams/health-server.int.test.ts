import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { append } from './append.ts';
import type { LogConnection } from './connection.ts';
import { type MetricsAccess, startHealthServer } from './health-server.ts';
import { type Reactor, startReactor } from './reactor.ts';
import { watchStreams } from './stream-watch.ts';
import { tellOfProcess } from './telemetry/metrics.ts';
import { eventually } from './testing/eventually.ts';
import { createGate } from './testing/gate.ts';
import { startTestLog, type TestLog } from './testing/test-log.ts';

const mebibyte = 1024 * 1024;
let testLog: TestLog;
beforeAll(async () => {
  // Small enough to be filled here.
  testLog = await startTestLog({ streamBytes: { INGEST: mebibyte } });
});
afterAll(() => testLog[Symbol.asyncDispose]());

/** Asks the health server of a connection, which is gone behind it. */
async function ask(
  connection: LogConnection,
  path: string,
  { access = { token: undefined, open: false }, host = '127.0.0.1', headers = {} }: AskOptions = {},
): Promise<{ status: number; text: string }> {
  const server = await startHealthServer({ host, port: 0 }, connection, () => undefined, access);
  const { port } = server.address() as AddressInfo;
  try {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers });
    return { status: response.status, text: await response.text() };
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

interface AskOptions {
  readonly access?: MetricsAccess;
  readonly host?: string;
  readonly headers?: Record<string, string>;
}

describe('/metrics of a process', () => {
  it('tells what a reactor worked on, what waits for it, and what it set aside', async () => {
    const connection = await testLog.connectAs('ingest');
    tellOfProcess(connection.telemetry.metrics);
    const held = createGate();
    const reactor: Reactor = await startReactor({
      connection,
      worker: 'ingest',
      log: testLog.log,
      delivery: { concurrency: 1, ackPendingMax: 1 },
      handlers: {
        'lakehouse.ingest': async ({ data }) => {
          if (data.items[0]?.id === 'hold') await held.opened;
          return { kind: 'skip', reason: 'seen' };
        },
        'lakehouse.corpus-change': () => ({ kind: 'skip', reason: 'seen' }),
      },
    });
    const publish = (payload: string, messageId: string) =>
      append(testLog.operator, 'lakehouse.ingest', { corpus: 'workers' }, JSON.parse(payload), {
        messageId,
        source: 'test',
      });
    await publish('{"items":[{"id":"first","text":"a"}]}', '1');
    await publish('{"items":[{"id":"bad"}]}', '2');
    await publish('{"items":[{"id":"hold","text":"a"}]}', '3');
    await publish('{"items":[{"id":"waits","text":"a"}]}', '4');
    const text = async () => (await ask(connection, '/metrics')).text;
    const labels = 'stream_name="INGEST",consumer_name="ingest"';
    await eventually('one in work and one waiting', async () => {
      const told = await text();
      return (
        told.includes(`jetstream_consumer_num_ack_pending{${labels}} 1`) &&
        told.includes(`jetstream_consumer_num_pending{${labels}} 1`)
      );
    });
    const told = await text();
    expect(told).toContain(`jetstream_consumer_num_redelivered{${labels}} 0`);
    expect(told).toContain('lakehouse_reactor_message_duration_seconds_count{worker="ingest",outcome="skip"} 1');
    expect(told).toContain('lakehouse_reactor_message_duration_seconds_count{worker="ingest",outcome="reject"} 1');
    expect(told).toContain('lakehouse_rejected_total{reason="invalid_event"} 1');
    expect(told).toContain('lakehouse_rejected_total{reason="handler_failed"} 0');
    expect(told).toMatch(/nodejs_eventloop_lag_p99_seconds \d/);
    expect(told).toMatch(/process_resident_memory_bytes \d/);
    held.open();
    await reactor.stop(5_000);
  });

  it('is told to others only with its token, unless it is open', async () => {
    const { operator } = testLog;
    const status = async (access: MetricsAccess, host: string, token?: string) => {
      const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
      return (await ask(operator, '/metrics', { access, host, headers })).status;
    };
    const none = { token: undefined, open: false };
    const mine = { token: 'mine', open: false };
    expect(await status(none, '127.0.0.1')).toBe(200);
    expect(await status(none, '0.0.0.0')).toBe(401);
    expect(await status(none, '0.0.0.0', 'undefined')).toBe(401);
    expect(await status(mine, '127.0.0.1')).toBe(401);
    expect(await status(mine, '0.0.0.0', 'guessed')).toBe(401);
    expect(await status(mine, '0.0.0.0', 'mine')).toBe(200);
    expect(await status({ token: undefined, open: true }, '0.0.0.0')).toBe(200);
    expect((await ask(operator, '/healthz', { access: mine, host: '0.0.0.0' })).status).toBe(200);
  });
});

describe('the watch over the streams', () => {
  it('tells a stream that crosses 80 % of its byte limit once, and what the exporter of NATS tells', async () => {
    const gateway = await testLog.connectAs('gateway');
    const warnings = () => testLog.logged.filter(({ message }) => message.startsWith('stream INGEST is'));
    const watch = watchStreams(gateway, testLog.log);
    const text = async () => (await ask(gateway, '/metrics')).text;
    expect(await text()).toContain('lakehouse_stream_alarm{stream_name="INGEST"} 0');
    const filling = { items: [{ id: 'large', text: 'x'.repeat(200_000) }] };
    for (let i = 0; ; i++) {
      const { state } = await testLog.operator.manager.streams.info('INGEST');
      if (state.bytes >= 0.82 * mebibyte) break;
      const options = { messageId: `fill-${i}`, source: 'test' };
      await append(testLog.operator, 'lakehouse.ingest', { corpus: 'workers' }, filling, options);
    }
    const told = await text();
    expect(told).toContain('lakehouse_stream_alarm{stream_name="INGEST"} 1');
    await text();
    expect(told).toContain(`jetstream_stream_limit_bytes{stream_name="INGEST"} ${mebibyte}`);
    expect(told).toMatch(/jetstream_stream_total_bytes\{stream_name="INGEST"\} \d{6,7}\n/);
    expect(told).toMatch(/jetstream_stream_last_seq\{stream_name="INGEST"\} \d+/);
    expect(told).toContain('jetstream_consumer_num_pending{stream_name="INGEST",consumer_name="ingest"}');
    expect(watch.alarms()).toMatchObject([{ stream: 'INGEST', bytesMax: mebibyte }]);
    expect(warnings()).toHaveLength(1);
    expect(warnings()[0]?.message).toContain('LAKEHOUSE_STREAM_BYTES_INGEST');
    watch.stop();
  });
});
