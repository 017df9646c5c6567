import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SearchInput } from '../gateway/client/client.ts';
import { GatewayError } from '../gateway/client/errors.ts';
import { encodeVector } from '../schemas/vector.ts';
import { append } from '../streams/append.ts';
import { systemClock } from '../streams/clock.ts';
import { connectLog } from '../streams/connection.ts';
import { eventually } from '../streams/testing/eventually.ts';
import { playbookId } from '../workers/matrix/playbook-id.ts';
import { startTestStack, type TestStack } from './testing/stack.ts';

const space = 'mine@4';
const east = [1, 0, 0, 0];
/** w-1 lies where the query does and has none of its words; w-3 has all of them and lies farther away. */
const documents = [
  { id: 'w-1', text: 'Pastry cook', vector: east, space, metadata: { state: 'IL' } },
  { id: 'w-2', text: 'Packer, forklift licence', vector: [0.9, 0.2, 0, 0], space, metadata: { state: 'IN' } },
  { id: 'w-3', text: 'Forklift operator, OSHA-30', vector: [0.8, 0.5, 0, 0], space, metadata: { state: 'OH' } },
  { id: 'w-4', text: 'Welder', vector: [0, 0, 1, 0], space },
];
const asked = { query_text: 'forklift operators, OSHA 30', query_vector: east, corpora: ['workers'] };

let stack: TestStack;
beforeAll(async () => {
  stack = await startTestStack({ workers: ['ingest', 'embed', 'index'] });
  await stack.client.ingest('workers', documents, { waitSearchable: true });
});
afterAll(() => stack[Symbol.asyncDispose]());

const idsOf = ({ results }: { results: readonly { id: string }[] }) => results.map(({ id }) => id);

/** Records playbooks with vectors of their own, as the playbook worker does with those of its embedder. */
async function recordPlaybooks(
  playbooks: readonly { answer: string; vector: readonly number[]; score?: number; role?: string }[],
): Promise<Record<string, string>> {
  const { user, pass: password } = stack.server.optionsFor('playbook');
  const { url } = stack.server;
  const connection = await connectLog({ url, user, password, name: 'recorder', clock: systemClock });
  const corpus = 'playbook_memory';
  const ids: Record<string, string> = {};
  for (const { answer, vector, score = 1, role } of playbooks) {
    const key = playbookId('q', answer, 'workers');
    ids[answer] = key;
    const entry = { query_text: 'q', answer_id: answer, answer_corpus: 'workers', score, ...(role && { role }) };
    const data = { playbook_id: key, corpus, space, vector: encodeVector(Float32Array.from(vector)), entry };
    await append(connection, 'lakehouse.playbook', { corpus, key }, data, { messageId: key, source: 'test' });
  }
  await connection.drain();
  await eventually('the playbooks are known', async () => {
    const { corpora } = await stack.client.corpora();
    return corpora.find(({ name }) => name === corpus)?.documents === playbooks.length;
  });
  return ids;
}

describe('the other routes of the matrix', () => {
  it('retrieve is search by another name', async () => {
    const body = JSON.stringify({ query_vector: east, corpora: ['workers'], k: 2 });
    const ask = async (route: string) => {
      const response = await fetch(`${stack.url}/v1/matrix/${route}`, { method: 'POST', body });
      return { status: response.status, text: await response.text() };
    };
    const searched = await ask('search');
    expect(searched.status).toBe(200);
    expect(JSON.parse(searched.text).results).toHaveLength(2);
    expect(await ask('retrieve')).toEqual(searched);
  });

  it('corpora tells what can be searched', async () => {
    const { corpora } = await stack.client.corpora();
    const shape = { dimension: 4, distance: 'cosine', documents: 4, tombstones: 0, serving: true };
    expect(corpora).toContainEqual({ name: 'workers', playbooks: false, space, ...shape });
  });

  it('relevance and downgrade decide, and refuse what is malformed', async () => {
    const { client } = stack;
    const { kept, dropped } = await client.relevance({
      focus: { path: 'src/db.rs', defined_symbols: ['Connector'] },
      chunks: [{ text: 'Connector opens' }, { text: 'tea' }],
    });
    expect([kept.length, dropped.length]).toEqual([1, 1]);
    expect(await client.downgrade({ mode: 'codereview_lakehouse', model: 'grok-4.1-fast' })).toEqual({
      mode: 'codereview_isolation',
      downgraded_from: 'codereview_lakehouse',
      reason: 'strong_model',
    });
    await expect(client.downgrade({ mode: '' })).rejects.toMatchObject({
      problem: { status: 400, code: 'bad_request', field: 'mode' },
    });
    await expect(client.relevance({ chunks: [] })).rejects.toThrow(GatewayError);
  });
});

describe('retrieval by words', () => {
  it('finds by words alone, by both, and as ever where nothing is said', async () => {
    const { client } = stack;
    const vector = await client.search(asked);
    expect(idsOf(vector)).toEqual(['w-1', 'w-2', 'w-3', 'w-4']);
    expect(vector).not.toHaveProperty('retrieval');
    expect(vector.results[0]).not.toHaveProperty('score');

    const lexical = await client.search({ ...asked, retrieval: 'lexical' });
    expect(lexical.retrieval).toBe('lexical');
    expect(idsOf(lexical)).toEqual(['w-3', 'w-2']);
    for (const { distance, score } of lexical.results) expect(distance + (score ?? 0)).toBeCloseTo(1, 12);

    const hybrid = await client.search({ ...asked, retrieval: 'hybrid' });
    expect(hybrid).toMatchObject({ retrieval: 'hybrid', per_corpus_counts: { workers: 4 } });
    expect(idsOf(hybrid)).toEqual(['w-3', 'w-2', 'w-1', 'w-4']);
    const distances = (reply: typeof hybrid) => new Map(reply.results.map(({ id, distance }) => [id, distance]));
    expect(distances(hybrid)).toEqual(distances(vector));
    const scores = hybrid.results.map(({ score }) => score ?? 0);
    expect(scores).toEqual([...scores].sort((one, other) => other - one));
  });

  it('needs no vector of its own', async () => {
    const { query_text, corpora } = asked;
    expect(idsOf(await stack.client.search({ query_text, corpora, retrieval: 'lexical' }))).toEqual(['w-3', 'w-2']);
  });

  it('holds filters and exclusions, and gives k where k match', async () => {
    const filtered = { ...asked, k: 1, metadata_filter: { state: ['IN', 'IL'] } };
    const lexical = await stack.client.search({ ...filtered, retrieval: 'lexical' });
    expect(idsOf(lexical)).toEqual(['w-2']);
    expect(lexical.metadata_filter_dropped).toBe(1);
    expect(idsOf(await stack.client.search({ ...filtered, retrieval: 'hybrid' }))).toEqual(['w-2']);
    const excluded = { ...asked, exclude_ids: ['w-3'] };
    expect(idsOf(await stack.client.search({ ...excluded, retrieval: 'lexical' }))).toEqual(['w-2']);
    expect(idsOf(await stack.client.search({ ...excluded, retrieval: 'hybrid' }))).not.toContain('w-3');
  });

  it('follows what is said after it was asked first', async () => {
    const { client } = stack;
    const words: SearchInput = { query_text: 'xylograph', corpora: ['workers'], retrieval: 'lexical' };
    expect(idsOf(await client.search(words))).toEqual([]);
    const said = { id: 'w-5', text: 'Xylograph printer', vector: [0, 0, 0, 1], space };
    await client.ingest('workers', [said], { waitSearchable: true });
    expect(idsOf(await client.search(words))).toEqual(['w-5']);
    await client.ingest('workers', [{ ...said, text: 'Printer' }], { waitSearchable: true });
    expect(idsOf(await client.search(words))).toEqual([]);
    await client.ingest('workers', [said], { waitSearchable: true });
    await client.ingest('workers', [{ id: 'w-5', deleted: true }], { waitSearchable: true });
    expect(idsOf(await client.search(words))).toEqual([]);
  });

  it('tells what it can not do', async () => {
    const { client } = stack;
    const refused = (field: string) => ({ problem: { status: 400, code: 'bad_request', field } });
    for (const retrieval of ['lexical', 'hybrid'] as const) {
      const wordless = { query_vector: east, corpora: ['workers'], retrieval };
      await expect(client.search(wordless)).rejects.toMatchObject(refused('query_text'));
    }
    await client.ingest('mute', [{ id: 'm-1', vector: east, space }], { waitSearchable: true });
    const mute: SearchInput = { ...asked, corpora: ['mute'], retrieval: 'hybrid' };
    await expect(client.search(mute)).rejects.toMatchObject({
      problem: { ...refused('retrieval').problem, corpus: 'mute', detail: expect.stringContaining('no text') },
    });
    const side = { ...asked, index: 'past', retrieval: 'lexical' } as const;
    await expect(client.search(side)).rejects.toMatchObject(refused('retrieval'));
  });
});

describe('explanations and playbooks', () => {
  it('tell of every playbook what it did or which gate held it, and lift in hybrid too', async () => {
    const { client } = stack;
    const ids = await recordPlaybooks([
      { answer: 'w-2', vector: [1, 0.1, 0, 0], score: 0.5, role: 'Packer' },
      { answer: 'w-3', vector: [0.9, 0.3, 0, 0], role: 'Welder' },
      { answer: 'w-4', vector: [1, 0.05, 0, 0], role: 'Packer' },
      { answer: 'w-9', vector: [1, 0, 0.1, 0] },
      { answer: 'w-1', vector: [0, 1, 0, 0] },
    ]);
    const warm = { ...asked, k: 3, use_playbook: true, playbook_top_k: 10, query_role: 'Packers', explain: true };
    const vector = await client.search(warm);
    // w-4 is not among the three nearest: it comes in, at half of what lies between the queries.
    expect(idsOf(vector)).toEqual(['w-1', 'w-4', 'w-2']);
    const gates = vector.explain?.playbooks_suppressed.map(({ answer_id, gate }) => [answer_id, gate]);
    expect(vector.explain).toMatchObject({ retrieval: 'vector', space, playbooks_considered: 5 });
    expect(Object.fromEntries(gates ?? [])).toEqual({ 'w-3': 'role', 'w-9': 'deleted', 'w-1': 'distance' });
    const [cook, welder, packer] = vector.results;
    expect(cook?.explain).toEqual({ origin: 'retrieved', base_distance: 0, factor: 1, playbooks: [] });
    expect(welder?.explain).toMatchObject({
      origin: 'injected',
      factor: 0.5,
      playbooks: [{ playbook_id: ids['w-4'] }],
    });
    expect(packer?.explain).toMatchObject({
      origin: 'retrieved',
      factor: 0.75,
      playbooks: [{ playbook_id: ids['w-2'], score: 0.5, role: 'Packer' }],
    });
    for (const { distance, explain } of vector.results)
      expect(distance).toBeCloseTo((explain?.base_distance ?? -1) * (explain?.factor ?? -1), 12);

    const cold = await client.search({ ...asked, k: 3, retrieval: 'hybrid', explain: true });
    const hybrid = await client.search({ ...warm, retrieval: 'hybrid' });
    expect(hybrid).toMatchObject({ boosted: 1, injected: 1, explain: { retrieval: 'hybrid' } });
    expect(idsOf(hybrid)[0]).toBe('w-4');
    const of = (reply: typeof hybrid, id: string) => reply.results.find((result) => result.id === id);
    expect(of(cold, 'w-3')?.explain).toMatchObject({ vector_rank: 3, lexical_rank: 1 });
    expect(of(cold, 'w-1')?.explain).toMatchObject({ vector_rank: 1, lexical_rank: null, lexical_score: 0 });
    const { score = 0, explain } = of(hybrid, 'w-2') ?? {};
    expect(1 - score).toBeCloseTo((1 - (explain?.base_score ?? 0)) * 0.75, 12);

    const narrow = await client.search({ ...warm, k: 1 });
    const cut = narrow.explain?.playbooks_suppressed.filter(({ gate }) => gate === 'cut');
    expect(cut?.map(({ answer_id }) => answer_id).sort()).toEqual(['w-2', 'w-4']);
    expect(await client.search({ ...warm, explain: false })).not.toHaveProperty('explain');
  });
});

describe('words after a start from a snapshot', () => {
  it('are those of the whole log', async () => {
    const { client } = stack;
    const ask = () => client.search({ ...asked, k: 10, retrieval: 'hybrid' });
    const before = await ask();
    await stack.stop('index');
    await stack.start('index');
    await client.ingest('workers', [{ id: 'w-6', text: 'Crane', vector: [0, 0, 1, 1], space }], {
      waitSearchable: true,
    });
    await client.ingest('workers', [{ id: 'w-6', deleted: true }], { waitSearchable: true });
    expect(await ask()).toEqual(before);
  });
});
