import { createGatewayClient, type GatewayClient } from '../../../gateway/client/client.ts';
import { encodeVector } from '../../../schemas/vector.ts';
import { below, chance, createRandom, pick, type Random } from '../../random.ts';
import { createVectorSource } from '../../staffing/own-vectors.ts';
import type { FaultContext, FaultOutcome, FaultRow } from '../fault-row.ts';
import { check } from '../oracles/check.ts';
import { checkDigest } from '../oracles/digest.ts';
import { startSlowEmbedder } from '../slow-embedder.ts';
import { ownDimension, ownSpace, startChaosStack } from '../stack.ts';

const corpus = 'workers';
const scales = { short: { steps: 40 }, long: { steps: 800 } } as const;
const documents = 24;
/** So many are retrieved: answers that are not among them are brought in. */
const k = 6;
const playbooksMax = 100;
const deadlineMs = 30_000;
const tolerance = 1e-6;
const roles = ['Forklift Operator', 'Welder', 'Line Lead'] as const;
const queries: readonly string[] = [
  'need 3 forklift operators',
  'welders in aurora',
  'line lead, nights',
  'a packer for monday',
];
const boostDistanceMax = 0.5;
const injectDistanceMax = 0.2;

/** F18: several people record, take back and search at once, each in a role of their own. */
export const interleavedChoices: FaultRow = {
  fault: 'F18',
  title: 'recordings, retractions and searches of several roles, interleaved',
  passes: 'every answer is what the arithmetic makes of what its own role chose, and of nothing else',
  mutations: [
    { name: 'roles-ignored', breaks: 'a playbook of another role lifts too' },
    { name: 'retractions-ignored', breaks: 'what was taken back goes on lifting' },
  ],
  run,
};

interface Person {
  readonly role: string;
  readonly client: GatewayClient;
  readonly random: Random;
  /** The answers that this person chooses among: a playbook is of its query and its answer, whoever records it. */
  readonly answers: readonly string[];
  readonly recorded: Map<string, { readonly query: string; readonly answer: string; readonly score: number }>;
  readonly counts: { records: number; retractions: number; searches: number; boosted: number; injected: number };
  readonly wrong: string[];
}

interface Known {
  /** Per query: the nearest documents, nearest first. */
  readonly base: ReadonlyMap<string, readonly { readonly id: string; readonly distance: number }[]>;
  /** Between two queries. */
  readonly between: (one: string, other: string) => number;
}

async function run(context: FaultContext): Promise<FaultOutcome> {
  const { seed, directory, mutation, fault, scale } = context;
  await using embedder = await startSlowEmbedder(ownDimension);
  await using stack = await startChaosStack({
    directory,
    mutant: mutation,
    processes: ['ingest', 'embed', 'index', 'playbook'],
    environment: { OLLAMA_HOST: embedder.host },
  });
  const vectorOf = createVectorSource({ dimension: ownDimension, clusters: documents, seed });
  const ids = Array.from({ length: documents }, (_, row) => `w-${row}`);
  const said = ids.map((id, row) => ({ id, vector: encodeVector(vectorOf(row)), space: ownSpace }));
  await stack.client.ingest(corpus, said, { waitSearchable: true });
  const known = await learn(stack.client);
  const people = roles.map(
    (role, at): Person => ({
      role,
      client: createGatewayClient({ url: stack.url, token: undefined, deadlineMs }),
      random: createRandom(seed, at, 18),
      answers: ids.filter((_, row) => row % roles.length === at),
      recorded: new Map(),
      counts: { records: 0, retractions: 0, searches: 0, boosted: 0, injected: 0 },
      wrong: [],
    }),
  );
  const live = async (person: Person) => {
    for (let step = 0; step < scales[scale].steps; step++) await doOne(person, known);
  };
  if (fault) await Promise.all(people.map(live));
  else for (const person of people) await live(person);
  const sum = (name: keyof Person['counts']) => people.reduce((total, { counts }) => total + counts[name], 0);
  const wrong = people.flatMap((person) => person.wrong);
  const lifts = sum('boosted') + sum('injected');
  return {
    checks: [
      check('every answer is exact', wrong.length === 0, wrong[0] ?? `${sum('searches')} searches`),
      check('playbooks lifted and brought in', sum('boosted') > 0 && sum('injected') > 0, `${lifts} times`),
      ...(await checkDigest(stack)),
    ],
    counts: {
      documents,
      records: sum('records'),
      retractions: sum('retractions'),
      searches: sum('searches'),
      boosted: sum('boosted'),
      injected: sum('injected'),
    },
  };
}

/** What the system says without playbooks: the arithmetic begins there. */
async function learn(client: GatewayClient): Promise<Known> {
  const base = new Map<string, { id: string; distance: number }[]>();
  for (const query_text of queries) {
    const { results } = await client.search({ query_text, corpora: [corpus], k });
    base.set(
      query_text,
      results.map(({ id, distance }) => ({ id, distance })),
    );
  }
  const { vectors } = await client.embed({ texts: [...queries], kind: 'query' });
  const vectorOf = (query: string) => vectors[queries.indexOf(query)] ?? [];
  const between = (one: string, other: string) => {
    const [left, right] = [vectorOf(one), vectorOf(other)];
    const dot = (a: readonly number[], b: readonly number[]) =>
      a.reduce((sum, value, at) => sum + value * (b[at] ?? 0), 0);
    return 1 - dot(left, right) / Math.sqrt(dot(left, left) * dot(right, right));
  };
  return { base, between };
}

async function doOne(person: Person, known: Known): Promise<void> {
  const { client, random, recorded, answers, role, counts } = person;
  const [oldest] = recorded.keys();
  if (oldest !== undefined && chance(random, 0.25)) {
    const taken = pick(random, [...recorded.keys()]);
    await client.retract({ playbook_id: taken });
    recorded.delete(taken);
    counts.retractions++;
  } else if (chance(random, 0.5)) {
    const [query, answer, score] = [pick(random, queries), pick(random, answers), below(random, 11) / 10];
    const entry = { query_text: query, answer_id: answer, answer_corpus: corpus, score, role };
    const { playbook_id } = await client.record(entry);
    recorded.set(playbook_id, { query, answer, score });
    counts.records++;
  }
  await searchOnce(person, known);
}

async function searchOnce(person: Person, known: Known): Promise<void> {
  const { client, random, role, counts, wrong } = person;
  const query_text = pick(random, queries);
  const answer = await client.search({
    query_text,
    corpora: [corpus],
    k,
    use_playbook: true,
    playbook_top_k: playbooksMax,
    query_role: role,
  });
  const expected = expectedAnswer(person, known, query_text);
  counts.searches++;
  counts.boosted += answer.boosted;
  counts.injected += answer.injected;
  const nearest = [...expected.distances.values()].sort((one, other) => one - other).slice(0, k);
  const isExact = (distance: number, wanted = Number.NaN) => Math.abs(distance - wanted) <= tolerance;
  const same = answer.results.every(
    ({ id, distance }, at) => isExact(distance, nearest[at]) && isExact(distance, expected.distances.get(id)),
  );
  const counted = answer.boosted === expected.boosted && answer.injected === expected.injected;
  if (same && counted && answer.results.length === nearest.length) return;
  const found = answer.results.map(({ id, distance }) => [id, distance]);
  wrong.push(
    `${role}, "${query_text}": found ${JSON.stringify(found)} (${answer.boosted}, ${answer.injected}), ` +
      `expected ${JSON.stringify([...expected.distances])} (${expected.boosted}, ${expected.injected})`,
  );
}

/** The arithmetic, told plainly: `distance x (1 - 0.5 x score)`, boosts within 0.5 and injections within 0.20. */
function expectedAnswer({ recorded }: Person, { base, between }: Known, query: string) {
  const distances = new Map<string, number>();
  const playbooks = [...recorded.values()].map((one) => ({ ...one, away: between(query, one.query) }));
  let [boosted, injected] = [0, 0];
  for (const { id, distance } of base.get(query) ?? []) {
    const scores = playbooks
      .filter(({ answer, away }) => answer === id && away <= boostDistanceMax)
      .map((one) => one.score);
    const factor = 1 - 0.5 * Math.max(0, ...scores);
    if (factor < 1) boosted++;
    distances.set(id, distance * factor);
  }
  const near = playbooks.filter(({ away }) => away <= injectDistanceMax);
  const absent = [...new Set(near.map(({ answer }) => answer))].filter((answer) => !distances.has(answer));
  for (const answer of absent) {
    const nearest = near.filter((one) => one.answer === answer).map(({ away, score }) => away * (1 - 0.5 * score));
    distances.set(answer, Math.min(...nearest));
    injected++;
  }
  return { distances, boosted, injected };
}
