import type { GatewayClient } from '../../gateway/client/client.ts';
import { benchMain } from '../bench/command.ts';
import { startBenchStack } from '../bench/processes.ts';
import { reportsDirectory } from '../bench/project.ts';
import { figure } from '../bench/report.ts';
import { readSurroundings } from '../bench/surroundings.ts';
import { CommandError } from '../command/errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { evaluateHits, type HitReport, type Share } from './hits.ts';
import {
  alternateTitleQueries,
  evenTitleQueries,
  occupations,
  onetFolderDefault,
  readOnet,
  type TitleQuery,
} from './onet.ts';

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
    queries: { default: '5000', description: 'Alternate titles in each of the two draws.' },
    seed: { default: '1', description: 'Of the draws.' },
  },
  async run({ text, count, note, argv }) {
    const tables = tablesOrAbsent(text('data') ?? onetFolderDefault());
    const seed = count('seed', 0, 2 ** 31);
    const size = { count: count('queries', 1, 1_000_000), seed };
    const draws = { even: evenTitleQueries(tables, size), rows: alternateTitleQueries(tables, size) };
    const documents = occupations(tables);
    // Room for every query, so that each is embedded once.
    const texts = draws.even.length + draws.rows.length + documents.length;
    const environment = { LAKEHOUSE_EMBED_CACHE_SIZE: String(texts) };
    await using stack = await startBenchStack({ note, environment });
    const surroundings = readSurroundings(script, argv, stack.natsServerVersion);
    const { client } = stack;
    for (let at = 0; at < documents.length; at += ingestBatch)
      await client.ingest(corpus, documents.slice(at, at + ingestBatch), { waitSearchable: true });
    note(`ingested ${documents.length} occupations`);
    const hits = { even: await ask(client, draws.even), rows: await ask(client, draws.rows) };
    note(`asked ${draws.even.length + draws.rows.length} titles`);
    const settings = { queries: size.count, occupations: documents.length };
    return { findings: { ...describe(hits, documents.length), seed, settings }, surroundings };
  },
});

async function ask(client: GatewayClient, queries: readonly TitleQuery[]): Promise<HitReport> {
  // Texts of a batch share one pass through the model; the searches then find their vectors in its cache.
  for (let at = 0; at < queries.length; at += embedBatch)
    await client.embed({ texts: queries.slice(at, at + embedBatch).map(({ query }) => query), kind: 'query' });
  return evaluateHits({
    queries,
    concurrency: searchConcurrency,
    search: async (query, k) => {
      const { results } = await client.search({ query_text: query, corpora: [corpus], k });
      return results.map(({ id }) => id);
    },
  });
}

function tablesOrAbsent(folder: string) {
  const reading = readOnet(folder);
  if (reading.kind === 'ready') return reading.tables;
  throw new CommandError(exitCodes.absent, {
    happened: reading.message,
    means: 'Nothing was evaluated.',
    remedy: 'Name the folder of the tables with --data.',
  });
}

function describe(hits: { readonly even: HitReport; readonly rows: HitReport }, documents: number) {
  const rows = (draw: string, report: HitReport): [string, string, Share][] => [
    [draw, 'hit@1', report.hitAt1],
    [draw, 'hit@5', report.hitAt5],
    [draw, 'hit@10', report.hitAt10],
  ];
  return {
    benchmark: 'onet',
    method:
      `Alternate titles as queries against ${documents} O*NET occupations (title and description), embedded with the ` +
      'embedded model, through the gateway. Only the occupation that a title was drawn for counts.',
    tables: [
      {
        title: 'Hits, with 95 % intervals (Wilson)',
        columns: [
          { title: 'draw' },
          { title: 'measure' },
          ...['share', 'low', 'high', 'hits', 'of'].map((title) => ({ title, right: true })),
        ],
        rows: [...rows('every occupation equally often', hits.even), ...rows('rows of the table', hits.rows)].map(
          ([draw, measure, { share, low, high, count, total }]) => [
            draw,
            measure,
            ...[share, low, high].map((value) => value.toFixed(4)),
            figure(count),
            figure(total),
          ],
        ),
      },
    ],
    checks: [
      {
        name: 'hit@10, every occupation equally often',
        value: hits.even.hitAt10.share,
        bar: hitAt10Min,
        comparison: 'at least' as const,
      },
    ],
    notes: [
      'The bar was set after a run over 1,335 titles with hit@1 0.34 and hit@10 0.67, of which it is not known how they ' +
        'were drawn; the even draw comes to the same figures, and it is the one that is held against the bar. By rows ' +
        'the share is lower: occupations with many titles count more, and nearly a third of the rows are titles that ' +
        'several occupations share, of which one alone counts as right.',
    ],
    results: hits,
  };
}
