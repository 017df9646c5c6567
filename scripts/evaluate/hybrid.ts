import type { GatewayClient } from '../../gateway/client/client.ts';
import { benchMain } from '../bench/command.ts';
import { startBenchStack } from '../bench/processes.ts';
import { reportsDirectory } from '../bench/project.ts';
import { embedWorkers, ingestWorkers } from '../bench/staffing-corpus.ts';
import { readSurroundings } from '../bench/surroundings.ts';
import {
  type Asked,
  depth,
  describe,
  type Forklifts,
  forkliftQuery,
  forkliftRole,
  resamples,
} from './hybrid-report.ts';
import { askByAll, type Rankings } from './methods.ts';
import { alternateTitleQueries, evenTitleQueries, occupations, onetFolderDefault } from './onet.ts';
import { type OwnedTitle, ownedTitles } from './owned-titles.ts';
import { tablesOrAbsent } from './tables.ts';

const script = 'dist/scripts/evaluate/hybrid.js';
const corpus = 'occupations';
const staffing = 'workers';
const ingestBatch = 256;
const embedBatch = 128;
const queriesAtATime = 8;

await benchMain({
  name: 'hybrid',
  script,
  summary:
    'Search by meaning, by words and by both: job titles against O*NET occupations, and a forklift among workers.',
  reports: reportsDirectory('evaluation'),
  flags: {
    data: { description: 'Folder of the O*NET tables (../shared/data/onet beside the project).' },
    queries: { default: '10000', description: 'Different alternate titles that are asked; reported titles all are.' },
    draws: { default: '5000', description: 'Titles in each of the two draws of evaluate:onet.' },
    workers: { default: '5000', description: 'Workers of the staffing corpus.' },
    seed: { default: '1', description: 'Of the draws, the workers and the resampling.' },
  },
  async run({ text, count, note, argv }) {
    const folder = text('data') ?? onetFolderDefault();
    const { tables, reported } = tablesOrAbsent(folder);
    const seed = count('seed', 0, 2 ** 31);
    const titles = ownedTitles(tables, reported, { count: count('queries', 1, 1_000_000), seed });
    const draw = { count: count('draws', 1, 1_000_000), seed };
    const single = (drawn: ReturnType<typeof evenTitleQueries>) =>
      drawn.map(({ query, code }) => ({ query, codes: new Set([code]) }));
    const even = single(evenTitleQueries(tables, draw));
    const rows = single(alternateTitleQueries(tables, draw));
    const documents = occupations(tables);
    const workers = count('workers', 100, 100_000);
    const asking = titles.alternate.length + titles.reported.length + even.length + rows.length;
    const environment = { LAKEHOUSE_EMBED_CACHE_SIZE: String(asking + documents.length + workers) };
    await using stack = await startBenchStack({ note, environment });
    const surroundings = readSurroundings(script, argv, stack.natsServerVersion);
    const { client } = stack;
    for (let at = 0; at < documents.length; at += ingestBatch)
      await client.ingest(corpus, documents.slice(at, at + ingestBatch), { waitSearchable: true });
    note(`ingested ${documents.length} occupations`);
    const any = [
      await askAll(client, 'alternate titles', titles.alternate, note),
      await askAll(client, 'reported titles', titles.reported, note),
    ];
    const one = [
      await askAll(client, 'every occupation equally often', even, note),
      await askAll(client, 'rows of the table', rows, note),
    ];
    const embedded = await embedWorkers(client, { count: workers, seed, note });
    await ingestWorkers(client, staffing, embedded);
    note(`ingested ${workers} workers`);
    const forklift = await findForklifts(client);
    const settings = { occupations: documents.length, workers, draws: draw.count, resamples };
    return { findings: { ...describe({ any, one, forklift, seed }), seed, settings }, surroundings };
  },
});

async function askAll(
  client: GatewayClient,
  name: string,
  titles: readonly OwnedTitle[],
  note: (line: string) => void,
): Promise<Asked> {
  // Texts of a batch share one pass through the model; the searches then find their vectors in its cache.
  for (let at = 0; at < titles.length; at += embedBatch)
    await client.embed({ texts: titles.slice(at, at + embedBatch).map(({ query }) => query), kind: 'query' });
  note(`embedded ${titles.length} ${name}`);
  const rankings: Rankings[] = [];
  const pending = titles.entries();
  const askInTurn = async () => {
    for (const [at, { query }] of pending)
      rankings[at] = await askByAll(client, { query_text: query, corpora: [corpus] }, depth);
  };
  await Promise.all(Array.from({ length: queriesAtATime }, askInTurn));
  note(`asked ${titles.length} ${name}`);
  return { name, titles, rankings };
}

/** Workers of the wanted role among the first ten, by method; and what the first one is. */
async function findForklifts(client: GatewayClient): Promise<Forklifts> {
  const found: Record<string, Forklifts[string]> = {};
  for (const retrieval of ['vector', 'lexical', 'hybrid'] as const) {
    const { results } = await client.search({ query_text: forkliftQuery, corpora: [staffing], k: depth, retrieval });
    const ofRole = results.filter(({ metadata }) => metadata?.role === forkliftRole);
    const certified = ofRole.filter(({ metadata }) => JSON.stringify(metadata?.certifications).includes('OSHA-30'));
    const firstRole = String(results[0]?.metadata?.role ?? '');
    found[retrieval] = { ofTheRole: ofRole.length, firstRole, withCertificate: certified.length };
  }
  return found;
}
