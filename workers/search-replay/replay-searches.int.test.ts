import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PlaybookData } from '../../schemas/events/playbook.ts';
import { searchRequestSchema } from '../../schemas/requests/matrix.ts';
import { encodeVector } from '../../schemas/vector.ts';
import { append } from '../../streams/append.ts';
import { startTestLog, type TestLog } from '../../streams/testing/test-log.ts';
import { parseState } from './moments.ts';
import { asLogged, parsePolicy } from './policy.ts';
import { replaySearches } from './replay-searches.ts';

const seed = Number(process.env.LAKEHOUSE_SEED ?? 20_261_121);
const counts = { documents: 400, playbooks: 60, searches: 1_000, clusters: 12, dimension: 16, perEvent: 50 } as const;
const space = `mine@${counts.dimension}`;
const playbookCorpus = 'playbook_memory';
const roles = ['', 'Welder', 'Loader'] as const;

/** mulberry32 (Tommy Ettinger, public domain). */
function random(state: number): () => number {
  let at = state >>> 0;
  return () => {
    at = (at + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(at ^ (at >>> 15), at | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const next = random(seed);
const below = (limit: number) => Math.floor(next() * limit);
const clusters = Array.from({ length: counts.clusters }, () => pointNear(undefined, 1));

function pointNear(centre: Float32Array | undefined, spread: number): Float32Array {
  return Float32Array.from({ length: counts.dimension }, (_, at) => (centre?.[at] ?? 0) + spread * (next() - 0.5));
}
const somewhere = () => pointNear(clusters[below(counts.clusters)], 0.5);

interface Recorded extends PlaybookData {
  readonly point: Float32Array;
}
interface Asked {
  readonly request: ReturnType<typeof searchRequestSchema.parse>;
  readonly point: Float32Array;
}

const documents = Array.from({ length: counts.documents }, (_, at) => ({ id: `w-${at}`, point: somewhere() }));
const playbooks = Array.from({ length: counts.playbooks }, (_, at): Recorded => {
  const point = somewhere();
  const role = roles[below(roles.length)] ?? '';
  const id = createHash('sha256').update(String(at)).digest('hex').slice(0, 16);
  const score = Math.round(next() * 10) / 10;
  const answer = {
    query_text: `need ${at}`,
    answer_id: `w-${below(counts.documents)}`,
    answer_corpus: 'workers',
    score,
  };
  const entry = role === '' ? answer : { ...answer, role };
  return { playbook_id: `pb-${id}`, corpus: playbookCorpus, space, vector: encodeVector(point), entry, point };
});
const searches = Array.from({ length: counts.searches }, (_, at): Asked => {
  const point = next() < 0.3 ? pointNear(playbooks[below(counts.playbooks)]?.point, 0.2) : somewhere();
  const request = searchRequestSchema.parse({
    // Every second one is known by its words, and has to be embedded again.
    ...(at % 2 === 0 ? { query_vector: [...point] } : { query_text: `query ${at}` }),
    corpora: ['workers'],
    k: 1 + below(15),
    use_playbook: next() < 0.9,
    query_role: roles[below(roles.length)] ?? '',
  });
  return { request, point };
});

/** Nothing of the system's own arithmetic: distances in double precision, every document and playbook looked at. */
function bruteForce({ request, point }: Asked, remembered: readonly Recorded[], strength = 0.5): string {
  const nearest = nearestDocuments(point);
  const results = nearest.slice(0, request.k).map((result) => ({ ...result }));
  if (request.use_playbook) {
    const lifts = remembered
      .map((playbook) => ({ ...playbook.entry, distance: cosineDistance(point, playbook.point) }))
      .sort((one, other) => one.distance - other.distance)
      .slice(0, 3)
      .filter(({ distance, role = '' }) => distance <= 0.5 && agrees(role, request.query_role));
    const injected = new Map<string, number>();
    for (const { answer_id, score, distance } of lifts) {
      const factor = 1 - strength * score;
      const found = results.find(({ id }) => id === answer_id);
      const own = nearest.find(({ id }) => id === answer_id)?.distance ?? 0;
      if (found !== undefined) found.distance = Math.min(found.distance, own * factor);
      else if (distance <= 0.2)
        injected.set(answer_id, Math.min(injected.get(answer_id) ?? Number.POSITIVE_INFINITY, distance * factor));
    }
    for (const [id, distance] of injected) results.push({ id, distance });
  }
  results.sort((one, other) => one.distance - other.distance);
  return JSON.stringify(results.slice(0, request.k));
}

const ordered = new Map<Float32Array, readonly { readonly id: string; readonly distance: number }[]>();

function nearestDocuments(point: Float32Array) {
  const known = ordered.get(point);
  if (known !== undefined) return known;
  const nearest = documents
    .map(({ id, point: other }) => ({ id, distance: cosineDistance(point, other) }))
    .sort((one, other) => one.distance - other.distance);
  ordered.set(point, nearest);
  return nearest;
}

function cosineDistance(one: Float32Array, other: Float32Array): number {
  let [dot, left, right] = [0, 0, 0];
  for (const [at, value] of one.entries()) {
    const opposite = other[at] ?? 0;
    dot += value * opposite;
    left += value * value;
    right += opposite * opposite;
  }
  return 1 - dot / Math.sqrt(left * right);
}

const agrees = (recorded: string, asked: string) => recorded === '' || asked === '' || recorded === asked;

/** The places of the searches whose answers differ, as the oracle has it. */
function changedBy(before: readonly Recorded[], after: readonly Recorded[], strength = 0.5): number[] {
  return searches.flatMap((search, at) =>
    bruteForce(search, before) === bruteForce(search, after, strength) ? [] : [at],
  );
}

let test: TestLog;
const say = (messageId: string) => ({ messageId, source: 'test' });

beforeAll(async () => {
  test = await startTestLog();
  const items = documents.map(({ id, point }) => ({ id, vector: [...point], space }));
  await append(
    await test.connectAs('gateway'),
    'lakehouse.ingest',
    { corpus: 'workers' },
    { items } as never,
    say('i'),
  );
  const embed = await test.connectAs('embed');
  await Promise.all(
    documents.map(({ id, point }) => {
      const value = { hash: createHash('sha256').update(id).digest('hex'), text: null, vector: encodeVector(point) };
      const data = {
        corpus: 'workers',
        id,
        space,
        content: { version: 1, value: { ...value, truncated: false } },
        metadata: { version: 0, value: null },
      };
      return append(embed, 'lakehouse.vector', { space, corpus: 'workers', key: id }, data, say(id));
    }),
  );
  const recorder = await test.connectAs('playbook');
  for (const { point: _, ...data } of playbooks)
    await append(
      recorder,
      'lakehouse.playbook',
      { corpus: playbookCorpus, key: data.playbook_id },
      data,
      say(data.playbook_id),
    );
  const index = await test.connectAs('index');
  for (let at = 0; at < searches.length; at += counts.perEvent) {
    const some = searches.slice(at, at + counts.perEvent).map(({ request }) => ({
      searched_at: new Date(1_700_000_000_000 + at).toISOString(),
      query_text: request.query_text ?? null,
      request: { ...request },
      position: {},
      results: [],
      playbook_boosted: 0,
      playbook_injected: 0,
    }));
    await append(
      index,
      'lakehouse.search',
      { corpus: 'workers' },
      { corpus: 'workers', searches: some },
      say(`s${at}`),
    );
  }
});
afterAll(() => test[Symbol.asyncDispose]());

async function replayed(states: readonly [string, string], policy = asLogged) {
  const { run, changes } = await replaySearches(
    {
      states: [parseState(states[0]), parseState(states[1])],
      policies: [asLogged, policy],
      corpus: undefined,
      limit: counts.searches,
    },
    {
      connection: test.operator,
      log: test.log,
      configuredSpace: space,
      embedQueries: async (texts) => ({
        space,
        vectors: texts.map((text) => searches[Number(text.slice('query '.length))]?.point ?? new Float32Array()),
        truncated: texts.map(() => false),
      }),
      retrieval: 'vector',
      hybrid: { method: 'scores', vectorWeight: 0.5, lexicalWeight: 0.5, rankConstant: 60, candidates: 100 },
      recordedAt: '2026-11-21T09:00:00.000Z',
      runId: 'replay-test',
      onProgress: () => undefined,
    },
  );
  const first = (await test.readAll('SEARCHES'))[0]?.sequence ?? 1;
  const places = changes.map(({ logged }) => (logged.sequence - first) * counts.perEvent + logged.index);
  return { run, changes, places };
}

describe(`a thousand logged searches asked again (LAKEHOUSE_SEED=${seed})`, () => {
  it('finds exactly what one retracted playbook had changed, and no other', async () => {
    // The one that most searches come near to: a playbook that nobody asks for would prove nothing.
    const nearBy = ({ point }: Recorded) => searches.filter((one) => cosineDistance(one.point, point) <= 0.2).length;
    const [{ playbook_id, corpus } = playbooks[0] as Recorded] = playbooks
      .map((playbook) => ({ ...playbook, searches: playbook.entry.score > 0.5 ? nearBy(playbook) : 0 }))
      .sort((one, other) => other.searches - one.searches);
    const left = playbooks.filter((playbook) => playbook.playbook_id !== playbook_id);
    const expected = changedBy(playbooks, left);
    expect(expected.length).toBeGreaterThan(10);
    expect(expected.length).toBeLessThan(counts.searches / 2);

    const before = `PLAYBOOKS=${playbooks.length}`;
    const control = await replayed([before, 'now']);
    expect([control.run.asked, control.run.changed]).toEqual([counts.searches, 0]);

    const passedOver = await replayed(['now', 'now'], parsePolicy(`without=${playbook_id}`));
    expect(passedOver.places).toEqual(expected);

    const tokens = { corpus: playbookCorpus, key: playbook_id };
    const retraction = { playbook_id, corpus };
    await append(await test.connectAs('playbook'), 'lakehouse.playbook-retracted', tokens, retraction, say('taken'));
    const found = await replayed([before, 'now']);
    expect(found.places).toEqual(expected);
    expect(found.run).toMatchObject({
      before: { position: { INGEST: 1, PLAYBOOKS: playbooks.length } },
      against: { position: { INGEST: 1, PLAYBOOKS: playbooks.length + 1 } },
      asked: counts.searches,
      changed: expected.length,
      unanswered: 0,
      outcome: 'done',
    });
    // The same, told the same way, and each change names a result with another rank or distance.
    expect(found.changes.map(({ results }) => results)).toEqual(passedOver.changes.map(({ results }) => results));
    for (const { results } of found.changes) expect(results.length).toBeGreaterThan(0);

    // Ranks and distances are those of the oracle.
    const [change] = found.changes;
    const asked = searches[expected[0] ?? 0] as Asked;
    const [was, is] = [bruteForce(asked, playbooks), bruteForce(asked, left)].map((text) => JSON.parse(text));
    for (const { id, rank, distance } of change?.results ?? [])
      for (const [at, oracle] of [was, is].entries()) {
        const place = oracle.findIndex((result: { id: string }) => result.id === id);
        expect(rank[at] ?? null).toBe(place < 0 ? null : place + 1);
        if (place >= 0) expect(distance[at]).toBeCloseTo(oracle[place].distance, 5);
      }

    // Other ways to rank, beside what a brute force makes of them.
    const off = await replayed(['now', 'now'], parsePolicy('playbooks=off'));
    expect(off.places).toEqual(changedBy(left, []));
    const weaker = await replayed(['now', 'now'], parsePolicy('boost=0.2'));
    expect(weaker.places).toEqual(changedBy(left, left, 0.2));
  });

  it('tells what could not be answered, of a state in which there was nothing', async () => {
    const { run, changes } = await replayed(['INGEST=0,PLAYBOOKS=0', 'now']);
    expect(run).toMatchObject({ changed: counts.searches, unanswered: counts.searches });
    expect(changes[0]?.before).toMatchObject({ problem: 'corpus_not_found', results: 0 });
    expect(changes[0]?.against.problem).toBeNull();
  });
});
