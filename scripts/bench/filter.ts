import { readConfiguration } from '../../schemas/configuration.ts';
import { formatSpace } from '../../schemas/space.ts';
import { systemClock } from '../../streams/clock.ts';
import { createIndexCatalogue } from '../../workers/corpus-index/catalogue.ts';
import { createSearch } from '../../workers/index/search.ts';
import { wordsOfNobody } from '../../workers/index/words.ts';
import { compileFilter } from '../../workers/metadata-filter/metadata-filter.ts';
import { benchMain } from './command.ts';
import {
  buildFilterCorpus,
  filterCorpus,
  filterDimension,
  filterSpace,
  type ShareFilter,
  shareFilters,
} from './filter-corpus.ts';
import { type Asked, describeFilters, type Prepared, type Round, type Times } from './filter-findings.ts';
import { reportsDirectory } from './project.ts';
import { type Labelled, recallOfAnswers, type Served } from './recall.ts';
import { rotated } from './statistics.ts';
import { readSurroundings } from './surroundings.ts';

const script = 'dist/scripts/bench/filter.js';
const recallTarget = 0.99;
const k = 10;
const queriesBefore = 2_000;

await benchMain({
  name: 'filter',
  script,
  summary:
    'Matrix search with metadata filters of different selectivity beside the same search without one, in one process.',
  reports: reportsDirectory('bench'),
  flags: {
    documents: { default: '100000', description: `Documents of ${filterDimension} dimensions with workers' metadata.` },
    queries: { default: '400', description: 'Different queries; each is asked once in a round, with every filter.' },
    rounds: { default: '7', description: 'Rounds, each over no filter and all filters.' },
    seed: { default: '1', description: 'Of the documents, the vectors and the queries.' },
  },
  async run({ count, note, argv }) {
    const documents = count('documents', 1_000, 2_000_000);
    const queries = count('queries', 20, 10_000);
    const rounds = count('rounds', 1, 100);
    const seed = count('seed', 0, 2 ** 31);
    const surroundings = readSurroundings(script, argv, 'not used');
    const corpus = buildFilterCorpus(documents, seed, note);
    const { index, metadata, vectorOf } = corpus;
    const filters = shareFilters(metadata);
    const before = process.memoryUsage().rss;
    const prepared = filters.map((one) => prepare(one, (filter) => index.prepareFilter(filter)));
    const memory = { columnBytes: index.stats().filterBytes, rssBytes: process.memoryUsage().rss - before };
    const vectors = Array.from({ length: queries }, (_, query) => vectorOf(documents + 1 + query));
    const ask = matrixSearch(corpus.index, vectors);
    const asked: Asked[] = [undefined, ...filters].map((filter) => ({ filter, answers: [] }));
    // Other queries than those that are measured, as an index worker has met before: it measures recall with them too.
    for (let row = 1; row <= queriesBefore; row++) index.searchWithin(vectorOf(documents + queries + row), k, {});
    const tuning = tune(() => index.tune(recallTarget));
    note(`measured recall: ef ${index.recall()?.ef ?? 'none'}`);
    const bodies = asked.map(({ filter }) => vectors.map((_, query) => bodyOf(query, filter)));
    const measured: Round[] = [];
    // The first round makes query vectors and code ready, and its answers are the ones that are checked.
    for (let round = 0; round <= rounds; round++) {
      const times = new Map<number, Times>();
      for (const place of rotated([...asked.keys()], round)) {
        const answers: string[] = [];
        times.set(place, await askAll(bodies[place] ?? [], ask, answers));
        if (round === 0) asked[place]?.answers.push(...answers);
      }
      if (round > 0)
        measured.push({ times: [...asked.keys()].map((place) => times.get(place) ?? { wall: [], processor: [] }) });
      note(`round ${round} of ${rounds}`);
    }
    note('comparing with exact scans made here');
    const labelled = metadata.map((_, row): Labelled => ({ id: `w-${row + 1}`, vector: vectorOf(row + 1) }));
    const recalls = asked.map(({ filter, answers }) => recallOf(labelled, filter, vectors, answers));
    const findings = describeFilters({
      asked,
      measured,
      recalls,
      prepared,
      memory,
      tuning,
      recall: index.recall(),
      documents,
    });
    return {
      findings: { ...findings, seed, settings: { documents, dimension: filterDimension, queries, rounds, k } },
      surroundings,
    };
  },
});

/** The service as the index worker runs it: bytes of a request in, bytes of an answer out; query texts are their numbers. */
function matrixSearch(
  index: Parameters<ReturnType<typeof createIndexCatalogue>['set']>[0]['index'],
  vectors: readonly Float32Array[],
) {
  const space = formatSpace(filterSpace);
  const catalogue = createIndexCatalogue(space);
  catalogue.set({ kind: 'documents', corpus: filterCorpus, space, side: null, index });
  const search = createSearch({
    catalogue,
    clock: systemClock,
    position: () => ({}),
    waitForPosition: async () => true,
    judgeUrls: [],
    words: wordsOfNobody,
    retrieval: 'vector',
    hybrid: readConfiguration({}).index.hybrid,
    fetch,
    embedQueries: async (texts) => ({
      space,
      vectors: texts.map((text) => vectors[Number(text)] ?? new Float32Array(filterDimension)),
      truncated: texts.map(() => false),
    }),
  });
  return (body: Uint8Array) =>
    search({
      body,
      position: {},
      traceId: undefined,
      traceparent: undefined,
      deadlineAtMs: systemClock.monotonicMs() + 60_000,
    });
}

function bodyOf(query: number, filter: ShareFilter | undefined): Uint8Array {
  const request = { query_text: String(query), corpora: [filterCorpus], k };
  const body = filter === undefined ? request : { ...request, metadata_filter: filter.filter };
  return Buffer.from(JSON.stringify(body), 'utf8');
}

/** Asks one after the other. */
async function askAll(
  bodies: readonly Uint8Array[],
  ask: ReturnType<typeof matrixSearch>,
  answers: string[],
): Promise<Times> {
  const times = { wall: [] as number[], processor: [] as number[] };
  for (const body of bodies) {
    const used = process.cpuUsage();
    const began = performance.now();
    const answer = ask(body);
    const response = answer instanceof Promise ? await answer : answer;
    times.wall.push(performance.now() - began);
    const { user, system } = process.cpuUsage(used);
    times.processor.push((user + system) / 1_000);
    answers.push(String(response.body));
  }
  return times;
}

function recallOf(
  labelled: readonly Labelled[],
  filter: ShareFilter | undefined,
  vectors: readonly Float32Array[],
  answers: readonly string[],
): { recall: number; complete: number } {
  const kept = filter === undefined ? labelled : filter.kept.flatMap((row) => labelled[row] ?? []);
  const served = vectors.map((query, place): Served => {
    const { results } = JSON.parse(answers[place] ?? '') as { results: { id: string }[] };
    return { query, ids: results.map(({ id }) => id) };
  });
  const ids = new Set(kept.map(({ id }) => id));
  const wanted = Math.min(k, kept.length);
  const complete = served.filter((one) => new Set(one.ids.filter((id) => ids.has(id))).size === wanted).length;
  return { recall: recallOfAnswers(kept, served, k), complete: complete / served.length };
}

/** Does work in slices; how many, the longest, and all together. */
function tune(step: () => boolean): Prepared {
  let slices = 0;
  let longestMs = 0;
  const began = performance.now();
  for (let more = true; more; slices++) {
    const start = performance.now();
    more = step();
    longestMs = Math.max(longestMs, performance.now() - start);
  }
  return { slices, longestMs, totalMs: performance.now() - began };
}

function prepare({ filter }: ShareFilter, step: (filter: ReturnType<typeof compileFilter>) => boolean): Prepared {
  const compiled = compileFilter(filter);
  return tune(() => step(compiled));
}
