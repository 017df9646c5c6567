import { describe, expect, it } from 'vitest';
import { readConfiguration } from '../../schemas/configuration.ts';
import { rejectedPayloadBytesMax } from '../../schemas/events/rejected.ts';
import { ProblemError } from '../../schemas/problems.ts';
import { parseSpace, type Space } from '../../schemas/space.ts';
import { encodeVector } from '../../schemas/vector.ts';
import { append, appendBytes, readNewest } from '../../streams/append.ts';
import { createLogger } from '../../streams/logging.ts';
import { type Decision, type MessageContext, startReactor } from '../../streams/reactor.ts';
import { appendRejected } from '../../streams/rejected.ts';
import { type ServiceHandler, startService } from '../../streams/service.ts';
import { subjectOf } from '../../streams/subjects.ts';
import { eventually } from '../../streams/testing/eventually.ts';
import { startTestLog, type TestLog } from '../../streams/testing/test-log.ts';
import type { Cause } from '../../streams/trace-headers.ts';
import { decideIngest } from '../../workers/ingest/decide.ts';
import { playbookWorker } from '../../workers/playbook/worker.ts';
import { actOn, type RejectedAction } from './act.ts';
import { type SelectionFlags, selectionOf } from './select.ts';

const space = parseSpace('mine@4') as Space;
const quick = { ackWaitMs: 1_000, retryFirstMs: 10, retryMaxMs: 50, failedAttemptsMax: 1 };

/** An ingest worker whose handler can be broken, with everything that is done about its dead letters. */
async function startBench(test: TestLog) {
  const fault = { broken: true };
  const reactor = await startReactor({
    connection: await test.connectAs('ingest'),
    worker: 'ingest',
    log: test.log,
    delivery: quick,
    handlers: {
      'lakehouse.ingest': (event, context) => {
        if (fault.broken) throw new Error('a fault of this version');
        return decideIngest(event, context, space);
      },
      'lakehouse.corpus-change': () => ({ kind: 'skip', reason: 'not looked at here' }),
    },
  });
  const say = async (payload: string, cause: Cause = {}) => {
    const { sequence } = await appendBytes(test.operator, 'ingest.workers', Buffer.from(payload), {
      messageId: payload.slice(0, 200),
      ...cause,
    });
    return sequence;
  };
  const settled = () =>
    eventually('everything is worked on', async () => {
      const { num_pending, num_ack_pending } = await test.operator.manager.consumers.info('INGEST', 'ingest');
      return num_pending + num_ack_pending === 0;
    });
  const act = async (action: RejectedAction, flags: SelectionFlags, waitMs = 20_000) => {
    const selection = selectionOf(flags);
    const acted = await actOn({ connection: test.operator, action, selection, limit: 50, waitMs, because: 'a test' });
    if (acted.kind === 'absent') return acted;
    return acted as typeof acted & { document: { settled: unknown; rejected: unknown } };
  };
  const newest = (id: string) =>
    readNewest(test.operator, 'lakehouse.document', subjectOf('lakehouse.document', { corpus: 'workers', key: id }));
  return { fault, reactor, say, settled, act, newest };
}

describe('dead letters', () => {
  it('take effect when they are retried, under the version that they always had', async () => {
    await using test = await startTestLog();
    const { fault, reactor, say, settled, act, newest } = await startBench(test);
    const old = await say('{"id":"w-1","text":"what was said first","metadata":{"shift":"night"}}');
    const alone = await say('{"id":"w-2","text":"said once"}');
    await settled();
    fault.broken = false;
    const anew = await say('{"id":"w-1","text":"what was said later"}');
    await settled();
    expect((await newest('w-1'))?.data).toMatchObject({ content: { version: anew }, metadata: { version: 0 } });
    expect(await newest('w-2')).toBeUndefined();

    const listed = await act('list', {});
    expect(listed).toMatchObject({ document: { rejected: [{ sequence: old }, { sequence: alone }] } });
    expect(await act('retry', { all: true })).toMatchObject({
      failed: false,
      document: {
        settled: [
          { id: 1, outcome: 'retried' },
          { id: 2, outcome: 'retried', detail: '1 events appended' },
        ],
      },
    });
    // The later content stays; the metadata, of which nobody spoke later, is the one that was set aside.
    const joined = (await newest('w-1'))?.data;
    expect(joined?.content).toMatchObject({ version: anew, value: { text: 'what was said later' } });
    expect(joined?.metadata).toEqual({ version: old, value: { shift: 'night' } });
    expect((await newest('w-2'))?.data.content).toMatchObject({ version: alone, value: { text: 'said once' } });
    expect((await test.readAll('INGEST')).length).toBe(3);

    expect(await act('list', {})).toMatchObject({ document: { rejected: [] } });
    expect(await act('list', { all: true })).toMatchObject({
      document: { rejected: [{ state: 'retried', attempts: 1 }, { state: 'retried' }] },
    });
    expect(await act('retry', { id: '1' })).toMatchObject({ failed: true, text: expect.stringContaining('already') });
    await reactor.stop(1_000);
  });

  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  const cause = { traceId: 'an-order', traceparent };
  const named = { trace_id: 'an-order', traceparent };

  it('belong to the trace of what they came from, as the event says it, else the headers of its message', async () => {
    await using test = await startTestLog();
    const { fault, reactor, say, settled, act } = await startBench(test);
    const envelope = { specversion: '1.0', id: 'x', source: 'urn:test', type: 'any', traceid: 'said-inside' };
    await say(JSON.stringify({ ...envelope, traceparent, data: { id: 'w-1', text: 'a handler fails on it' } }), {
      traceId: 'a-header',
    });
    await settled();
    await say('{"id":"w-2","text":"x","unknown":1}', cause);
    await settled();
    // An id that no event can carry is let go: the row stays readable.
    await say('{"id":"w-3"', { traceId: 'two words', traceparent: 'malformed' });
    await settled();
    fault.broken = false;
    expect(await act('show', { id: '1' })).toMatchObject({
      document: { reason: 'handler_failed', trace_id: 'said-inside', traceparent },
      text: expect.stringContaining(`trace     said-inside, ${traceparent}`),
    });
    expect(await act('show', { id: '2' })).toMatchObject({ document: { reason: 'invalid_event', ...named } });
    expect(await act('show', { id: '3' })).toMatchObject({ document: { trace_id: null, traceparent: null } });
    await reactor.stop(1_000);
  });

  it('come back with more attempts where the cause is not gone, and can be dropped', async () => {
    await using test = await startTestLog();
    const { fault, reactor, say, settled, act } = await startBench(test);
    fault.broken = false;
    await say('not JSON', cause);
    await say(`{"id":"w-1","text":"${'x'.repeat(rejectedPayloadBytesMax)}","unknown":1}`);
    await settled();
    expect(await act('retry', { reason: 'bad_json' })).toMatchObject({
      failed: true,
      document: { settled: [{ id: 1, outcome: 'rejected_again', detail: expect.stringContaining('bad_json') }] },
    });
    expect(await act('list', { stream: 'ingest', reason: 'bad_json' })).toMatchObject({
      document: { found: 1, rejected: [{ id: 1, attempts: 2, state: 'waiting' }] },
    });
    expect(await act('show', { id: '1' })).toMatchObject({
      document: { payload: 'not JSON', from: 'rejected', attempts: 2, ...named },
    });
    // Too long to be copied: it is read from where it lies.
    const long = await act('show', { id: '2' });
    expect(long).toMatchObject({ document: { from: 'stream', encoding: 'utf8', reason: 'invalid_event' } });
    expect(long).toMatchObject({ text: expect.stringContaining('"unknown":1') });

    expect(await act('drop', { id: '1' })).toMatchObject({ document: { settled: [{ outcome: 'dropped' }] } });
    expect(await act('list', {})).toMatchObject({ document: { found: 1, counts: { bad_json: { dropped: 1 } } } });
    expect(await act('show', { id: '99' })).toEqual({ kind: 'absent', id: 99 });
    await reactor.stop(1_000);
  });

  it('wait for their worker where it does not run, and say when a newer state took their place', async () => {
    await using test = await startTestLog();
    const documents = await test.connectAs('ingest');
    const state = (text: string) => ({
      specversion: '1.0',
      id: text,
      source: 'urn:test',
      type: 'lakehouse.document.v1',
      data: {
        corpus: 'workers',
        id: 'w-1',
        content: { version: 1, value: null },
        metadata: { version: 1, value: { text } },
        former_spaces: [],
      },
    });
    const saying = (text: string) =>
      appendBytes(documents, 'documents.workers.dw', Buffer.from(JSON.stringify(state(text))), { messageId: text });
    await saying('first');
    const mismatch = (_: unknown, { sequence }: MessageContext): Decision =>
      sequence === 1
        ? { kind: 'reject', reason: 'space_mismatch', message: 'another space', version: 1 }
        : { kind: 'skip', reason: 'not looked at here' };
    const start = async () =>
      startReactor({
        connection: await test.connectAs('embed'),
        worker: 'embed',
        log: test.log,
        delivery: quick,
        handlers: {
          'lakehouse.document': mismatch,
          'lakehouse.corpus': () => ({ kind: 'skip', reason: 'not looked at here' }),
        },
      });
    const first = await start();
    await eventually('it is set aside', async () => (await test.rejections()).length === 1);
    await first.stop(1_000);
    await saying('second');

    expect(await retryAll(test, 'documents', 0)).toMatchObject({
      document: { settled: [{ outcome: 'retrying' }] },
      failed: false,
    });
    const second = await start();
    expect(await retryAll(test, 'documents', 20_000)).toMatchObject({
      document: { settled: [{ outcome: 'superseded' }] },
    });
    await second.stop(1_000);
  });

  it('of the playbook worker are taken again for every space that their corpus is held in', async () => {
    await using test = await startTestLog();
    const embedder = { refuses: true };
    const handlers: Record<string, ServiceHandler> = {
      'svc.embed.vectors': () => {
        if (embedder.refuses) throw new ProblemError('text_refused', 'the model refuses it');
        return {
          body: JSON.stringify({
            space: 'other@2',
            vectors: [encodeVector(Float32Array.of(1, 2))],
            truncated: [false],
          }),
        };
      },
    };
    const embed = { connection: await test.connectAs('embed'), endpoints: handlers, log: test.log };
    await startService({ ...embed, name: 'embed', version: '1.0.0', description: 'test', requestsWaitingMax: 10 });
    const about = { messageId: 'held', source: 'test' };
    const held = { corpus: 'workers', space: 'other@2', state: 'held', run_id: 'r' } as const;
    await append(test.operator, 'lakehouse.corpus-space', { corpus: 'workers' }, held, about);
    const recorder = await test.connectAs('playbook');
    const tokens = { corpus: 'playbook_memory', key: 'pb-0000000000000001' };
    const entry = { query_text: 'q', answer_id: 'w-1', answer_corpus: 'workers', score: 1 };
    const recording = {
      playbook_id: tokens.key,
      corpus: tokens.corpus,
      space: 'mine@2',
      vector: encodeVector(Float32Array.of(1, 0)),
    };
    const malformed = Buffer.from('{"specversion":"1.0"}');
    await appendBytes(recorder, 'playbooks.playbook_memory.broken', malformed, { messageId: 'broken' });
    await append(recorder, 'lakehouse.playbook', tokens, { ...recording, entry }, { ...about, messageId: 'good' });
    const running = await playbookWorker.start({
      connection: recorder,
      configuration: readConfiguration({}),
      observations: { report: () => {}, stop: async () => {} },
      log: createLogger('playbook', 'silent'),
      instance: 'playbook-1',
    });
    await eventually('one is set aside, and the other was looked at', async () => {
      const consumers = await test.operator.manager.consumers.list('PLAYBOOKS').next();
      const done = consumers.every(({ num_pending, num_ack_pending }) => num_pending + num_ack_pending === 0);
      return done && (await test.rejections()).length === 1;
    });
    // The recording is set aside as a handler of an older version would have done it.
    const source = { stream: 'PLAYBOOKS', sequence: 2, subject: 'playbooks', payload: Buffer.from('{}'), attempts: 1 };
    const rejection = { reason: 'handler_failed', message: 'a fault of this version', version: null } as const;
    await appendRejected(recorder, 'playbook', source, rejection);
    embedder.refuses = false;

    expect(await retryAll(test, 'playbooks', 20_000)).toMatchObject({
      document: {
        settled: [
          { id: 1, outcome: 'rejected_again', detail: expect.stringContaining('bad_envelope') },
          { id: 2, outcome: 'retried' },
        ],
      },
    });
    const newest = await readNewest(test.operator, 'lakehouse.playbook', subjectOf('lakehouse.playbook', tokens));
    expect(newest).toMatchObject({ sequence: 3, data: { space: 'other@2', copy_of: 2, entry } });
    await running.stop(1_000);
  });
});

function retryAll({ operator: connection }: TestLog, stream: string, waitMs: number) {
  const selection = selectionOf({ stream });
  return actOn({ connection, action: 'retry', selection, limit: 50, waitMs, because: '' });
}
