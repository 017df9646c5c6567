import { describe, expect, it } from 'vitest';
import { type StackWorker, startTestStack, type TestStack } from '../testing/stack.ts';
import { environmentOf } from '../testing/worker-process.ts';
import { runTask } from './run-task.ts';
import { untilServed } from './served.ts';

const space = 'all-minilm-l6-v2@384';
const withoutObserver: readonly StackWorker[] = ['ingest', 'embed', 'index', 'playbook'];

/** The unit vector along one axis. */
function axis(place: number): number[] {
  return Array.from({ length: 384 }, (_, at) => (at === place ? 1 : 0));
}

async function buildSide(stack: TestStack, side: { name: string; untilSequence?: number; asOfMs?: number }) {
  const task = { task: 'rebuild', corpus: 'things', kind: 'documents', compare: false, force: false, side } as const;
  const result = await runTask(task, { ...process.env, ...environmentOf(stack, 'operator') }, () => undefined);
  if (result.say !== 'rebuilt') throw new Error(`told "${result.say}"`);
  for (const run of result.runs) await untilServed(stack.client, run);
  return result.runs;
}

describe('an index of the past', () => {
  it('answers by its name as things were, and never for its corpus', async () => {
    await using stack = await startTestStack({ workers: withoutObserver });
    const { client } = stack;
    const things = { query_vector: axis(0) };
    const ask = async (index?: string, query: { query_text: string } | typeof things = things) => {
      const reply = await client.search({
        ...query,
        corpora: ['things'],
        k: 2,
        use_playbook: true,
        ...(index === undefined ? {} : { index }),
      });
      return { ids: reply.results.map(({ id, metadata }) => [id, metadata?.turn]), boosted: reply.boosted };
    };
    const wait = { waitSearchable: true };
    await client.ingest('things', [{ id: 'a', vector: axis(0), space, metadata: { turn: 1 } }], wait);
    await client.record({ query_text: 'asked before', answer_id: 'a', answer_corpus: 'things', score: 1 });
    const { last_seq: then } = await client.ingest('things', [{ id: 'b', vector: axis(1), space }], wait);
    const storedAt = (await stack.operator.manager.streams.getMessage('INGEST', { seq: then })).time.getTime();
    const early = storedAt + 1;
    while (Date.now() <= early) await new Promise((resolve) => setImmediate(resolve));

    // What came later: another vector, other metadata, a deletion, a playbook.
    await client.ingest('things', [{ id: 'a', metadata: { turn: 2 } }], wait);
    await client.ingest(
      'things',
      [
        { id: 'b', deleted: true },
        { id: 'c', vector: axis(2), space },
      ],
      wait,
    );
    await client.record({ query_text: 'anything', answer_id: 'a', answer_corpus: 'things', score: 1 });
    const live = {
      ids: [
        ['a', 2],
        ['c', undefined],
      ],
      boosted: 0,
    };
    expect(await ask()).toEqual(live);

    const built = await buildSide(stack, { name: 'by-sequence', untilSequence: then });
    const bySequence = { side: 'by-sequence', outcome: 'built', switched: false, until: { INGEST: then } };
    expect(built.map(({ kind, corpus }) => `${kind} of ${corpus}`).sort()).toEqual([
      'documents of things',
      'playbooks of playbook_memory',
    ]);
    for (const run of built) expect(run).toMatchObject(bySequence);
    const past = {
      ids: [
        ['a', 1],
        ['b', undefined],
      ],
      boosted: 0,
    };
    expect(await ask('by-sequence')).toEqual(past);
    // What had been learned by then lifts there, and what was learned since does not.
    expect((await ask('by-sequence', { query_text: 'asked before' })).boosted).toBe(1);
    expect((await ask('by-sequence', { query_text: 'anything' })).boosted).toBe(0);
    expect((await ask(undefined, { query_text: 'anything' })).boosted).toBe(1);
    await buildSide(stack, { name: 'by-time', asOfMs: early });
    expect(await ask('by-time')).toEqual(past);
    expect(await ask()).toEqual(live);
    await expect(ask('never-built')).rejects.toMatchObject({ problem: { code: 'corpus_not_found', status: 502 } });
  });
});

describe('two index workers behind one gateway', () => {
  it('both show a recording to the next search, whichever of them answers', async () => {
    await using stack = await startTestStack({ workers: withoutObserver });
    await stack.start('index');
    const { client } = stack;
    await client.ingest('things', [{ id: 'a', vector: axis(0), space }], { waitSearchable: true });
    for (let turn = 0; turn < 10; turn++) {
      const query = `turn ${turn}`;
      const search = { query_text: query, corpora: ['things'], use_playbook: true, playbook_max_inject_distance: 0 };
      await client.record({ query_text: query, answer_id: 'a', answer_corpus: 'things', score: 1 });
      // Asked without a position of its own: the gateway attaches the newest that it answered.
      const replies = await Promise.all(
        Array.from({ length: 8 }, () =>
          fetch(`${stack.url}/v1/matrix/search`, { method: 'POST', body: JSON.stringify(search) }).then((reply) =>
            reply.json(),
          ),
        ),
      );
      expect(replies.map((reply) => (reply as { boosted: number }).boosted)).toEqual(Array(8).fill(1));
    }
    const answering = new Set<string>();
    while (answering.size < 2) answering.add((await client.indexInfo()).worker);
    expect([...answering].sort()).toEqual(['index-1', 'index-2']);
  });
});
