import { describe, expect, it } from 'vitest';
import { decodeEvent } from '../../schemas/decode.ts';
import type { DocumentData } from '../../schemas/events/document.ts';
import { createRandom } from '../../scripts/random.ts';
import { appendBytes } from '../../streams/append.ts';
import type { LogConnection } from '../../streams/connection.ts';
import { type ReactorHandlers, startReactor } from '../../streams/reactor.ts';
import { eventually } from '../../streams/testing/eventually.ts';
import { type Chance, withFaults, withoutCompareAndSet } from '../../streams/testing/faults.ts';
import { startTestLog, type TestLog } from '../../streams/testing/test-log.ts';
import { corpus, defaultSpace, foldHistory, makeHistory, type Said } from '../documents/testing/history.ts';
import { decideIngest } from './decide.ts';
import { decideCorpus } from './decide-corpus.ts';

const events = 120;
const instances = 2;
const seeds = [1, 2, 3, 20_261_121];

type Handler = ReactorHandlers<'ingest'>['lakehouse.ingest'];
type Wrap = (handler: Handler, connection: LogConnection, random: Chance) => Handler;

const decide: Handler = (event, context) => decideIngest(event, context, defaultSpace);

async function publish(test: TestLog, history: readonly Said[]): Promise<void> {
  for (const [at, said] of history.entries()) {
    const { sequence } = await appendBytes(test.operator, `ingest.${corpus}`, Buffer.from(JSON.stringify(said)), {
      messageId: `said-${at}`,
    });
    expect(sequence).toBe(at + 1);
  }
}

/** Lets two instances work on the history at once, and returns the newest state of every document. */
async function workOn(test: TestLog, seed: number, wrap: Wrap): Promise<Map<string, DocumentData>> {
  const random = createRandom(seed, 1);
  const reactors = await Promise.all(
    Array.from({ length: instances }, async () => {
      const connection = await test.connectAs('ingest');
      return startReactor({
        connection,
        worker: 'ingest',
        log: test.log,
        delivery: { ackWaitMs: 100, concurrency: 8, retryFirstMs: 1, retryMaxMs: 20 },
        handlers: {
          'lakehouse.ingest': wrap(decide, connection, random.unit),
          'lakehouse.corpus-change': decideCorpus,
        },
      });
    }),
  );
  await eventually('every event is worked on', async () => {
    const info = await test.operator.manager.consumers.info('INGEST', 'ingest');
    return info.num_pending + info.num_ack_pending === 0;
  });
  await Promise.all(reactors.map((reactor) => reactor.stop(5_000)));
  const states = new Map<string, DocumentData>();
  for (const { payload } of await test.readAll('DOCUMENTS')) {
    const decoded = decodeEvent('DOCUMENTS', payload);
    if (!decoded.ok) throw new Error(decoded.message);
    if (decoded.event.type === 'lakehouse.document') states.set(decoded.event.data.id, decoded.event.data);
  }
  return states;
}

const sorted = (states: ReadonlyMap<string, DocumentData>) =>
  [...states].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, state]) => state);

describe('the documents are the fold of what was said, in the order of the stream', () => {
  it('without a fault (the control)', async () => {
    await using test = await startTestLog();
    const history = makeHistory(seeds[0] ?? 0, events);
    await publish(test, history);
    const states = await workOn(test, 0, (handler) => handler);
    expect(sorted(states)).toEqual(sorted(foldHistory(history)));
    expect(await test.rejections()).toEqual([]);
  });

  it.each(seeds)('with two workers, redeliveries, lost acks and events that overtake others: seed %i', async (seed) => {
    await using test = await startTestLog();
    const history = makeHistory(seed, events);
    await publish(test, history);
    const states = await workOn(test, seed, withFaults);
    expect(sorted(states)).toEqual(sorted(foldHistory(history)));
    expect(await test.rejections()).toEqual([]);
    // The faults did happen: messages came more than once.
    expect(test.logged.filter(({ message }) => message.includes('injected')).length).toBeGreaterThan(events / 10);
  });

  it('and are not where the guard is taken away: the same faults find it out', async () => {
    const unguarded: Wrap = (handler, connection, random) =>
      withFaults(withoutCompareAndSet(handler, connection, random), connection, random);
    const wrong: number[] = [];
    for (const seed of seeds) {
      await using test = await startTestLog();
      const history = makeHistory(seed, events);
      await publish(test, history);
      const states = await workOn(test, seed, unguarded);
      const [found, expected] = [sorted(states), sorted(foldHistory(history))].map((list) => JSON.stringify(list));
      if (found !== expected) wrong.push(seed);
    }
    expect(wrong).not.toEqual([]);
  });
});

describe('ingest', () => {
  it('sets aside what can not become a document, whole events of it, and goes on', async () => {
    await using test = await startTestLog();
    const good = { id: 'w-1', text: 'forklift operator' };
    const said: unknown[] = [
      { id: 'w-1', text: '   ' },
      {
        items: [
          { id: 'w-2', text: 'welder' },
          { id: 'w-3', vector: [0, 0], space: 'mine@2' },
        ],
      },
      { id: 'w-4', vector: [1, 2, 3] },
      { id: 'w-5' },
      good,
    ];
    for (const [at, event] of said.entries())
      await appendBytes(test.operator, `ingest.${corpus}`, Buffer.from(JSON.stringify(event)), { messageId: `${at}` });
    const states = await workOn(test, 0, (handler) => handler);
    expect([...states.keys()]).toEqual(['w-1']);
    const rejections = (await test.rejections()).sort((one, other) => one.sequence - other.sequence);
    expect(rejections.map(({ sequence, reason, version }) => [sequence, reason, version])).toEqual([
      [1, 'invalid_event', 1],
      [2, 'invalid_vector', 2],
      [3, 'invalid_vector', 3],
      [4, 'invalid_event', 4],
    ]);
    expect(rejections[2]?.message).toContain('w-4');
  });
});
