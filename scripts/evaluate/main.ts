import { benchMain } from '../bench/command.ts';
import { startBenchStack } from '../bench/processes.ts';
import { reportsDirectory } from '../bench/project.ts';
import { figure } from '../bench/report.ts';
import { readSurroundings } from '../bench/surroundings.ts';
import { CommandError } from '../command/errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { evaluateHits, type HitReport, type Share } from './hits.ts';
import { alternateTitleQueries, occupations, onetFolderDefault, readOnet, type TitleQuery } from './onet.ts';

const script = 'dist/scripts/evaluate/main.js';
const corpus = 'occupations';
const hitAt10Min = 0.65;
const ingestBatch = 256;
const embedBatch = 128;
const searchConcurrency = 16;

await benchMain({
  name: 'onet',
  script,
  summary: 'Alternate job titles as queries against the O*NET occupations, through the gateway: hit@1, 5 and 10.',
  reports: reportsDirectory('evaluation'),
  flags: {
    data: {
      description: 'Folder of occupations.tsv and alternate_titles.tsv (../shared/data/onet beside the project).',
    },
    queries: { default: '5000', description: 'Alternate titles, drawn by the seed.' },
    seed: { default: '1', description: 'Of the draw.' },
  },
  async run({ text, count, note, argv }) {
    const tables = tablesOrAbsent(text('data') ?? onetFolderDefault());
    const seed = count('seed', 0, 2 ** 31);
    const queries = alternateTitleQueries(tables, { count: count('queries', 1, 1_000_000), seed });
    const documents = occupations(tables);
    // Room for every query, so that each is embedded once.
    const environment = { LAKEHOUSE_EMBED_CACHE_SIZE: String(queries.length + documents.length) };
    await using stack = await startBenchStack({ note, environment });
    const surroundings = readSurroundings(script, argv, stack.natsServerVersion);
    const { client } = stack;
    for (let at = 0; at < documents.length; at += ingestBatch)
      await client.ingest(corpus, documents.slice(at, at + ingestBatch), { waitSearchable: true });
    note(`ingested ${documents.length} occupations`);
    // Texts of a batch share one pass through the model; the searches then find their vectors in its cache.
    for (let at = 0; at < queries.length; at += embedBatch)
      await client.embed({ texts: queries.slice(at, at + embedBatch).map(({ query }) => query), kind: 'query' });
    note(`embedded ${queries.length} titles`);
    const hits = await evaluateHits({
      queries,
      concurrency: searchConcurrency,
      search: async (query, k) => {
        const { results } = await client.search({ query_text: query, corpora: [corpus], k });
        return results.map(({ id }) => id);
      },
    });
    const settings = { queries: queries.length, occupations: documents.length };
    return { findings: { ...describe(hits, documents.length, queries), seed, settings }, surroundings };
  },
});

function tablesOrAbsent(folder: string) {
  const reading = readOnet(folder);
  if (reading.kind === 'ready') return reading.tables;
  throw new CommandError(exitCodes.absent, {
    happened: reading.message,
    means: 'Nothing was evaluated.',
    remedy: 'Name the folder of the tables with --data.',
  });
}

function describe(hits: HitReport, documents: number, queries: readonly TitleQuery[]) {
  const rows: [string, Share][] = [
    ['hit@1', hits.hitAt1],
    ['hit@5', hits.hitAt5],
    ['hit@10', hits.hitAt10],
  ];
  return {
    benchmark: 'onet',
    method:
      `${queries.length} alternate titles as queries against ${documents} O*NET occupations (title and description), ` +
      'embedded with the embedded model, through the gateway. Only the occupation that a title belongs to counts.',
    tables: [
      {
        title: 'Hits, with 95 % intervals (Wilson)',
        columns: [
          { title: 'measure' },
          ...['share', 'low', 'high', 'hits', 'of'].map((title) => ({ title, right: true })),
        ],
        rows: rows.map(([name, { share, low, high, count, total }]) => [
          name,
          ...[share, low, high].map((value) => value.toFixed(4)),
          figure(count),
          figure(total),
        ]),
      },
    ],
    checks: [{ name: 'hit@10', value: hits.hitAt10.share, bar: hitAt10Min, comparison: 'at least' as const }],
    notes: [],
    results: hits,
  };
}
