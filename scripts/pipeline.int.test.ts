import { describe, expect, it } from 'vitest';
import { decodeEvent } from '../schemas/decode.ts';
import { readPayload, readStreamState } from '../streams/stream-reader.ts';
import { eventually } from '../streams/testing/eventually.ts';
import { cncQuery, forkliftQuery } from './staffing/demand.ts';
import { workers } from './staffing/workers.ts';
import { startTestStack, type TestStack } from './testing/stack.ts';

const space = 'mine@4';
const vectors = { east: [1, 0, 0, 0], north: [0, 1, 0, 0], up: [0, 0, 1, 0] } as const;

describe('documents that bring their own vectors', () => {
  it('are found, updated, deleted, and searched with what was answered before in mind', async () => {
    await using stack = await startTestStack({ workers: ['ingest', 'embed', 'index', 'playbook', 'observer'] });
    const { client } = stack;
    const answer = await client.ingest(
      'things',
      [
        { id: 'a', vector: [...vectors.east], space, metadata: { name: 'A' } },
        { id: 'b', vector: [...vectors.north], space },
        { id: 'c', vector: [...vectors.up], space, metadata: { name: 'C' } },
      ],
      { waitSearchable: true },
    );
    expect(answer).toMatchObject({ accepted: 3, first_seq: 1, last_seq: 3, searchable: 3 });
    const ask = () => client.search({ query_vector: [...vectors.east], corpora: ['things'], k: 2 });
    expect(await ask()).toMatchObject({
      results: [{ id: 'a', distance: 0, metadata: { name: 'A' } }, { distance: 1 }],
    });
    const filtered = { query_vector: [...vectors.east], corpora: ['things'], k: 1 };
    const only = await client.search({ ...filtered, metadata_filter: { name: { gt: 'A', lte: 'C' } } });
    expect(only).toMatchObject({
      results: [{ id: 'c' }],
      metadata_filter_dropped: 2,
      per_corpus_counts: { things: 1 },
    });
    const next = await client.search({ ...filtered, exclude_ids: ['a'] });
    expect(next).toMatchObject({ results: [{ id: 'b' }], metadata_filter_dropped: 0 });
    const wrong = client.search({ ...filtered, metadata_filter: { name: { near: 'A' } } });
    await expect(wrong).rejects.toThrow('metadata_filter.name: "near" is no operator');
    await client.ingest('things', [{ id: 'a', deleted: true }], { waitSearchable: true });
    expect((await ask()).results.map(({ id }) => id)).toEqual(['b', 'c']);
  });
});

describe('two hundred workers, embedded', () => {
  it('reference 10.29: learns what was chosen, for the same role only', async () => {
    await using stack = await startTestStack();
    const { client } = stack;
    const answer = await client.ingest('workers', [...workers({ count: 200 })], { waitSearchable: true });
    expect(answer).toMatchObject({ accepted: 200, searchable: 200 });

    const forklift = { ...forkliftQuery, corpora: ['workers'], k: 200, per_corpus_k: 200 };
    const cold = await client.search(forklift);
    const chosenCold = cold.results.find(({ id }) => id === 'w-43');
    expect(cold).toMatchObject({ boosted: 0, injected: 0, playbook_boosted: 0, playbook_injected: 0 });
    expect(cold.per_corpus_counts).toEqual({ workers: 200 });
    if (chosenCold === undefined) throw new Error('w-43 is not among the workers');

    // Seed test 1: half the distance, to four decimals.
    const { playbook_id } = await client.record({
      query_text: forkliftQuery.query_text,
      role: forkliftQuery.query_role,
      answer_id: 'w-43',
      answer_corpus: 'workers',
      score: 1,
    });
    expect(playbook_id).toBe('pb-1126c52bd106df6b');
    const warm = await client.search({ ...forklift, use_playbook: true });
    const chosenWarm = warm.results.find(({ id }) => id === 'w-43');
    expect(warm).toMatchObject({ boosted: 1, injected: 0, playbook_boosted: 1, playbook_injected: 0 });
    expect((chosenWarm?.distance ?? 0) / chosenCold.distance).toBeCloseTo(0.5, 4);
    const others = (reply: typeof cold) => reply.results.filter(({ id }) => id !== 'w-43');
    expect(others(warm)).toEqual(others(cold));

    // Seed test 2: another role's query. The two queries are too far apart for the default bound, so it is opened wide.
    const cnc = { query_text: cncQuery.query_text, corpora: ['workers'], k: 10, per_corpus_k: 200 };
    const wide = { ...cnc, use_playbook: true, playbook_max_distance: 0.8 };
    const ungated = await client.search(wide);
    expect(ungated.boosted).toBeGreaterThanOrEqual(1);
    const gated = await client.search({ ...wide, query_role: cncQuery.query_role });
    expect(gated).toMatchObject({ boosted: 0, injected: 0 });
    const without = await client.search({ ...cnc, query_role: cncQuery.query_role, use_playbook: false });
    expect(gated.results).toEqual(without.results);

    // The query for which the original found none of the forklift operators that it had.
    const query_text = 'Forklift operator with OSHA-30 certification, warehouse experience';
    const hybrid = await client.search({ query_text, corpora: ['workers'], k: 5, retrieval: 'hybrid' });
    expect(hybrid.results.map(({ metadata }) => metadata?.role)).toEqual(Array(5).fill('Forklift Operator'));

    // Retracted, it is as if it had not been recorded.
    await client.retract({ playbook_id });
    expect((await client.search({ ...forklift, use_playbook: true })).results).toEqual(cold.results);
  });
});

describe('a producer on the bus', () => {
  it('publishes without credentials, plain or as CloudEvents, and nothing bad gets in', async () => {
    await using stack = await startTestStack();
    const { client, operator } = stack;
    const producer = await stack.server.connectAs('producer');
    const publish = (payload: string) => producer.publish('ingest.workers', payload);
    publish('{"id":"w-1","text":"Forklift operator"}');
    publish('{"id":"w-2","text":');
    publish('{"id":"w-3","text":" "}');
    publish('{"id":"w-4","vector":[1,2,3]}');
    const data = { id: 'w-5', text: 'Bilingual packer', metadata: { shift: 'night' } };
    publish(JSON.stringify({ specversion: '1.0', id: '1', source: '/crm', type: 'com.example.worker', data }));
    await producer.flush();
    // Said after them through the gateway, so when this can be found they have been worked on.
    await client.ingest('workers', [{ id: 'w-6', text: 'Welder' }], { waitSearchable: true });
    await eventually('three documents and three rejections', async () => {
      const { indexes } = await client.indexInfo();
      const rejected = await readStreamState(operator, 'REJECTED');
      return indexes[0]?.live === 3 && rejected.lastSequence === 3;
    });
    const reasons = await Promise.all([1, 2, 3].map((sequence) => rejectionAt(stack, sequence)));
    expect(reasons.sort()).toEqual(['bad_json', 'invalid_event', 'invalid_vector']);
    await eventually('the observer counts them', async () => (await client.rejected()).open === 3);
    expect((await client.rejected()).by_reason).toMatchObject({ bad_json: { waiting: 1, dropped: 0 } });
    const { results } = await client.search({ query_text: 'packing at night', corpora: ['workers'] });
    expect(results[0]).toMatchObject({ id: 'w-5', metadata: { shift: 'night' } });

    const long = 'Bilingual packer, at night. '.repeat(100);
    await client.ingest('workers', [{ id: 'w-7', text: long }], { waitSearchable: true });
    const cut = await client.search({ query_text: long, corpora: ['workers'], k: 2 });
    expect(cut).toMatchObject({ query_truncated: true, results: [{ id: 'w-7', truncated: true }, { id: 'w-5' }] });
    expect(cut.results[1]).not.toHaveProperty('truncated');
    expect(await client.search({ query_text: 'packing at night', corpora: ['workers'] })).not.toHaveProperty(
      'query_truncated',
    );
  });
});

describe('what was done', () => {
  it('is counted by source, and searches are logged with their answers', async () => {
    await using stack = await startTestStack();
    const { client, operator } = stack;
    await client.ingest('workers', [{ id: 'w-1', text: 'Forklift operator' }], { waitSearchable: true });
    await client.search({ query_text: 'forklift', corpora: ['workers'] });
    expect(await client.observe({ endpoint: '/demo', source: 'scenario', success: true })).toMatchObject({
      accepted: true,
    });
    await eventually('every source is counted', async () => {
      const { by_source } = await client.observerStats();
      return ['gateway', 'ingest', 'embed', 'index', 'scenario'].every((source) => (by_source[source] ?? 0) > 0);
    });
    expect((await client.observerStats()).recent_scenario_ops).toMatchObject([{ endpoint: '/demo', success: true }]);
    await eventually(
      'the search is logged',
      async () => (await readStreamState(operator, 'SEARCHES')).lastSequence === 1,
    );
    const logged = decodeEvent('SEARCHES', (await readPayload(operator, 'SEARCHES', 1)) ?? new Uint8Array());
    expect(logged).toMatchObject({
      ok: true,
      event: { data: { searches: [{ query_text: 'forklift', results: [{ id: 'w-1', corpus: 'workers' }] }] } },
    });
  });
});

async function rejectionAt({ operator }: TestStack, sequence: number): Promise<string> {
  const decoded = decodeEvent('REJECTED', (await readPayload(operator, 'REJECTED', sequence)) ?? new Uint8Array());
  if (!decoded.ok) throw new Error(decoded.message);
  return decoded.event.type === 'lakehouse.rejected' ? decoded.event.data.reason : decoded.event.type;
}
