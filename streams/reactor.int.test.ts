import { AckPolicy, DeliverPolicy } from 'nats';
import { describe, expect, it } from 'vitest';
import { deliveries, type ReactorDelivery } from '../schemas/catalog.ts';
import type { DocumentData } from '../schemas/events/document.ts';
import { append, appendBytes } from './append.ts';
import type { LogConnection } from './connection.ts';
import { nanos } from './durations.ts';
import { provisionStreams } from './provision.ts';
import {
  type Decision,
  type MessageContext,
  type PlannedAppend,
  type ReactorOutcome,
  startReactor,
} from './reactor.ts';
import { eventually } from './testing/eventually.ts';
import { createGate } from './testing/gate.ts';
import { startTestLog, type TestLog, testTopology } from './testing/test-log.ts';

const quick: Partial<ReactorDelivery> = { ackWaitMs: 1_000, retryFirstMs: 10, retryMaxMs: 80 };

function planned(id: string, sequence: number, text = 'x'): PlannedAppend<'lakehouse.document'> {
  const data: DocumentData = {
    corpus: 'workers',
    id,
    content: { version: sequence, value: null },
    metadata: { version: sequence, value: { text } },
    former_spaces: [],
  };
  return {
    name: 'lakehouse.document',
    tokens: { corpus: 'workers', key: id },
    messageId: `document:${sequence}`,
    data,
  };
}

type Handler = (id: string, context: MessageContext) => Decision | Promise<Decision>;

/** One document for each event, whatever it says. */
const eachOnce: Handler = (id, { sequence }) => ({ kind: 'append', events: [planned(`${id}:${sequence}`, sequence)] });

async function startIngest(
  test: TestLog,
  connection: LogConnection,
  handler: Handler,
  delivery: Partial<ReactorDelivery> = {},
) {
  const outcomes: ReactorOutcome[] = [];
  const reactor = await startReactor({
    connection,
    worker: 'ingest',
    log: test.log,
    delivery: { ...quick, ...delivery },
    onOutcome: (outcome) => outcomes.push(outcome),
    handlers: {
      'lakehouse.ingest': (event, context) => handler(event.data.items[0]?.id ?? '', context),
      'lakehouse.corpus-change': () => ({ kind: 'skip', reason: 'nothing to do' }),
    },
  });
  return { reactor, outcomes, count: (kind: ReactorOutcome['kind']) => outcomes.filter((o) => o.kind === kind).length };
}

async function say(test: TestLog, ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    const payload = JSON.stringify({ id, text: `text of ${id}` });
    await appendBytes(test.operator, 'ingest.workers', Buffer.from(payload), { messageId: id });
  }
}

const ids = (count: number, prefix = 'w') => Array.from({ length: count }, (_, at) => `${prefix}-${at}`);

async function unacked(test: TestLog, durable = 'ingest', stream = 'INGEST'): Promise<number> {
  const info = await test.operator.manager.consumers.info(stream, durable);
  return info.num_ack_pending + info.num_pending;
}

const allDone = (test: TestLog, deadlineMs?: number) =>
  eventually('every message is worked on and acked', async () => (await unacked(test)) === 0, deadlineMs);

async function documentCount(test: TestLog): Promise<number> {
  return (await test.operator.manager.streams.info('DOCUMENTS')).state.messages;
}

describe('a reactor', () => {
  it('works on every message once and rejects nothing (the control of the faults below)', async () => {
    await using test = await startTestLog();
    await say(test, ids(200));
    const { reactor, outcomes } = await startIngest(test, await test.connectAs('ingest'), eachOnce);
    await allDone(test);
    await reactor.stop(1_000);
    expect(outcomes.map(({ kind }) => kind)).toEqual(Array(200).fill('append'));
    expect(await documentCount(test)).toBe(200);
    expect(await test.rejections()).toEqual([]);
  });

  it('publishes before it acks: dying in between delivers the message again, and nothing is there twice', async () => {
    await using test = await startTestLog();
    await say(test, ['a']);
    const dying = await test.connectAs('ingest');
    const first = await startIngest(test, dying, async (id, { sequence }) => {
      const { name, tokens, messageId, ...rest } = planned(id, sequence);
      if (!('data' in rest)) throw new Error('not planned');
      await append(dying, name, tokens, rest.data, { messageId, source: 'ingest-worker' });
      await dying.nats.close();
      return { kind: 'append', events: [planned(id, sequence)] };
    });
    await eventually('the first instance is dead', () => dying.nats.isClosed());
    expect(await unacked(test)).toBe(1);
    expect(await documentCount(test)).toBe(1);

    const second = await startIngest(test, await test.connectAs('ingest'), (id, context) => ({
      kind: 'append',
      events: [planned(id, context.sequence)],
    }));
    await allDone(test);
    expect(second.count('append')).toBe(1);
    expect((await test.readAll('DOCUMENTS')).map(({ sequence }) => sequence)).toEqual([1]);
    await Promise.all([first.reactor.stop(10), second.reactor.stop(1_000)]);
  });

  it('tries again without end while the log is full, ever more slowly, and rejects nothing', async () => {
    await using test = await startTestLog({ streamBytes: { DOCUMENTS: 16_384 } });
    await say(test, ['a', 'b']);
    const handler: Handler = (id, { sequence }) => ({
      kind: 'append',
      events: [planned(id, sequence, 'x'.repeat(8_000))],
    });
    const { reactor, count } = await startIngest(test, await test.connectAs('ingest'), handler, { concurrency: 1 });
    const attemptsMax = deliveries.ingest.failedAttemptsMax;
    await eventually('more attempts than a failing handler has', () => count('retry') > attemptsMax + 2);
    expect(count('append')).toBe(1);
    expect(await unacked(test)).toBe(1);
    const waits = test.logged.flatMap(({ fields }) => ('waitMs' in fields ? [fields.waitMs] : []));
    expect(waits.slice(0, 5)).toEqual([10, 20, 40, 80, 80]);

    await provisionStreams(test.operator, testTopology);
    await allDone(test);
    expect(await documentCount(test)).toBe(2);
    expect(await test.rejections()).toEqual([]);
    await reactor.stop(1_000);
  });

  it('rejects what a handler fails on every time, after as many attempts as are declared, and goes on', async () => {
    await using test = await startTestLog();
    await say(test, ['good', 'bad', 'later']);
    const handler: Handler = (id, context) => {
      if (id === 'bad') throw new Error('the handler has a fault');
      return eachOnce(id, context);
    };
    const { reactor, count } = await startIngest(test, await test.connectAs('ingest'), handler, {
      failedAttemptsMax: 3,
    });
    await allDone(test);
    expect([count('append'), count('retry'), count('reject')]).toEqual([2, 2, 1]);
    const [rejection, ...others] = await test.rejections();
    expect(others).toEqual([]);
    expect(rejection).toMatchObject({ stream: 'INGEST', sequence: 2, worker: 'ingest', version: 2, attempts: 3 });
    expect(rejection).toMatchObject({ reason: 'handler_failed', subject: 'ingest.workers', retry: 0 });
    expect(rejection?.message).toContain('the handler has a fault');
    const payload = Buffer.from(rejection?.payload_base64 ?? '', 'base64').toString();
    expect(JSON.parse(payload)).toEqual({ id: 'bad', text: 'text of bad' });
    await reactor.stop(1_000);
  });

  it('sets aside what it can not read and what its handler refuses, each with its reason, and goes on', async () => {
    await using test = await startTestLog();
    const writer = await test.connectAs('ingest');
    const event = (type: string, data: unknown) =>
      JSON.stringify({ specversion: '1.0', id: 'x', source: 'urn:test', type, data });
    const good = (id: string) => ({
      corpus: 'workers',
      id,
      content: { version: 1, value: null },
      metadata: { version: 0, value: null },
      former_spaces: [],
    });
    const payloads = [
      'not JSON',
      '{"type":"lakehouse.document.v1"}',
      event('lakehouse.document.v9', good('future')),
      event('lakehouse.elephant.v1', good('unknown')),
      event('lakehouse.document.v1', { ...good('a'), corpus: 'Not A Corpus' }),
      event('lakehouse.document.v1', good('refused')),
      event('lakehouse.document.v1', good('a')),
    ];
    for (const [at, payload] of payloads.entries()) await writer.jetStream.publish(`documents.workers.${at}`, payload);
    const seen: string[] = [];
    const reactor = await startReactor({
      connection: await test.connectAs('embed'),
      worker: 'embed',
      log: test.log,
      delivery: quick,
      handlers: {
        'lakehouse.corpus': () => ({ kind: 'skip', reason: 'nothing to do' }),
        'lakehouse.document': ({ data }) => {
          seen.push(data.id);
          if (data.id === 'refused') return { kind: 'reject', reason: 'text_refused', message: 'no', version: 77 };
          return { kind: 'skip', reason: 'nothing to do' };
        },
      },
    });
    await eventually('all are worked on', async () => (await unacked(test, 'embed', 'DOCUMENTS')) === 0);
    expect(seen.sort()).toEqual(['a', 'refused']);
    const rejections = (await test.rejections()).sort((one, other) => one.sequence - other.sequence);
    expect(rejections.map(({ sequence, reason, version }) => [sequence, reason, version])).toEqual([
      [1, 'bad_json', null],
      [2, 'bad_envelope', null],
      [3, 'unknown_version', null],
      [4, 'unknown_type', null],
      [5, 'invalid_event', null],
      [6, 'text_refused', 77],
    ]);
    await reactor.stop(1_000);
  });

  it('finishes what it took when it is stopped, and leaves the rest to the next at once', async () => {
    await using test = await startTestLog();
    await say(test, ids(12));
    const gate = createGate();
    const aborted: boolean[] = [];
    const { reactor, count } = await startIngest(
      test,
      await test.connectAs('ingest'),
      async (id, context) => {
        await gate.opened;
        aborted.push(context.signal.aborted);
        return eachOnce(id, context);
      },
      { concurrency: 2, ackWaitMs: 60_000 },
    );
    await eventually('two are in flight', () => reactor.inFlight() === 2);
    const stopped = reactor.stop(10_000);
    gate.open();
    await stopped;
    expect(reactor.inFlight()).toBe(0);
    const finished = count('append');
    expect(finished).toBeGreaterThanOrEqual(2);
    expect(finished).toBeLessThan(12);
    expect(aborted).toEqual(Array(finished).fill(false));
    expect(await documentCount(test)).toBe(finished);

    // Far sooner than the ack wait: nothing that was on its way was lost.
    const next = await startIngest(test, await test.connectAs('ingest'), eachOnce, { ackWaitMs: 60_000 });
    await allDone(test, 10_000);
    expect(next.count('append')).toBe(12 - finished);
    await next.reactor.stop(1_000);
  });

  it('stops in time though a handler does not end, and tells that handler', async () => {
    await using test = await startTestLog();
    await say(test, ['a']);
    const told = createGate<Decision>();
    const { reactor } = await startIngest(test, await test.connectAs('ingest'), (_, { signal }) => {
      signal.addEventListener('abort', () => told.open({ kind: 'retry', reason: 'stopped' }));
      return told.opened;
    });
    await eventually('it is in flight', () => reactor.inFlight() === 1);
    await reactor.stop(50);
    expect(await told.opened).toEqual({ kind: 'retry', reason: 'stopped' });
    expect(await documentCount(test)).toBe(0);
  });
});

describe('a reactor whose server or consumer goes', () => {
  it('reference 10.43: resumes by itself after a crash of the server', async () => {
    await using test = await startTestLog();
    await say(test, ids(100, 'before'));
    const { reactor } = await startIngest(test, await test.connectAs('ingest'), eachOnce, { concurrency: 4 });
    await eventually('some are done', async () => (await documentCount(test)) > 10);
    await test.server.kill9();
    await test.server.restart();
    await say(test, ids(50, 'after'));
    await allDone(test, 40_000);
    expect(await documentCount(test)).toBe(150);
    expect(await test.rejections()).toEqual([]);
    await reactor.stop(1_000);
  });

  it('makes its consumer anew when somebody deletes it', async () => {
    await using test = await startTestLog();
    await say(test, ['a']);
    const { reactor } = await startIngest(test, await test.connectAs('ingest'), eachOnce);
    await allDone(test);
    await test.operator.manager.consumers.delete('INGEST', 'ingest');
    await say(test, ['b']);
    await eventually('the second is worked on', async () => (await documentCount(test)) === 2);
    await reactor.stop(1_000);
  });

  it('mends a consumer that would keep messages from it', async () => {
    await using test = await startTestLog();
    await say(test, ids(3));
    await test.operator.manager.consumers.add('INGEST', {
      durable_name: 'ingest',
      ack_policy: AckPolicy.Explicit,
      deliver_policy: DeliverPolicy.New,
      filter_subject: 'ingest.elsewhere',
      ack_wait: nanos(5),
      max_ack_pending: 1,
    });
    const { reactor } = await startIngest(test, await test.connectAs('ingest'), eachOnce);
    await eventually('all are worked on', async () => (await documentCount(test)) === 3);
    const { config } = await test.operator.manager.consumers.info('INGEST', 'ingest');
    expect(config).toMatchObject({ deliver_policy: 'all', ack_wait: nanos(1_000), max_deliver: -1 });
    expect(config.filter_subject).toBeUndefined();
    expect(config.max_ack_pending).toBe(deliveries.ingest.ackPendingMax);
    await reactor.stop(1_000);
  });

  it('is held up by an instance that takes messages and never acks for no longer than the ack wait', async () => {
    await using test = await startTestLog();
    const delivery = { ackPendingMax: 8, concurrency: 4 };
    const healthy = await startIngest(test, await test.connectAs('ingest'), eachOnce, delivery);
    const stalled = await test.connectAs('ingest');
    const consumer = await stalled.jetStream.consumers.get('INGEST', 'ingest');
    await healthy.reactor.stop(1_000);
    await say(test, ids(40));
    const taken = await consumer.fetch({ max_messages: 8, expires: 1_000 });
    let held = 0;
    for await (const message of taken) held += message.redelivered ? 0 : 1;
    expect(held).toBe(8);
    const { num_ack_pending: pending } = await test.operator.manager.consumers.info('INGEST', 'ingest');
    expect(pending).toBe(8);

    const next = await startIngest(test, await test.connectAs('ingest'), eachOnce, delivery);
    await allDone(test, 10_000);
    expect(await documentCount(test)).toBe(40);
    await next.reactor.stop(1_000);
  });
});
