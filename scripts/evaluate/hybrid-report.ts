import { figure } from '../bench/report.ts';
import { createRandom } from '../random.ts';
import { type PairedDifference, pairedBootstrap } from './bootstrap.ts';
import { hitDepths, type Share, wilsonShare } from './hits.ts';
import { type Method, methods, type Rankings } from './methods.ts';
import type { OwnedTitle } from './owned-titles.ts';

/** Results of each query that are looked at. */
export const depth = 10;
export const resamples = 2_000;
const bootstrapStream = 9;

/** What the system before this one could not find: see what is said of it in the report. */
export const forkliftQuery = 'Forklift operator with OSHA-30 certification, warehouse experience';
export const forkliftRole = 'Forklift Operator';
const forkliftMin = 9;

/** Queries, and what each method ranked for them. */
export interface Asked {
  readonly name: string;
  readonly titles: readonly OwnedTitle[];
  readonly rankings: readonly Rankings[];
}

/** By method: workers of the wanted role among the first ten, those with the wanted certificate, and what the first is. */
export type Forklifts = Readonly<
  Record<string, { readonly ofTheRole: number; readonly withCertificate: number; readonly firstRole: string }>
>;

function isHit(ids: readonly string[], { codes }: OwnedTitle, k: number): boolean {
  return ids.slice(0, k).some((id) => codes.has(id));
}

function hitsOf({ titles, rankings }: Asked, method: Method, k: number): boolean[] {
  return titles.map((title, at) => isHit(rankings[at]?.[method] ?? [], title, k));
}

interface Measured {
  readonly any: readonly Asked[];
  readonly one: readonly Asked[];
  readonly forklift: Forklifts;
  readonly seed: number;
}

/** What was found, with its bars. */
export function describe({ any, one, forklift, seed }: Measured) {
  const random = createRandom(seed, bootstrapStream);
  const compare = (method: Method, asked: readonly Asked[]): PairedDifference => {
    const hits = (of: Method) => asked.flatMap((set) => hitsOf(set, of, 1));
    return pairedBootstrap(hits(method), hits('vector'), { resamples, random });
  };
  const compared = [...any.map((set) => ({ name: set.name, sets: [set] })), { name: 'both together', sets: any }].map(
    ({ name, sets }) => {
      const total = sets.reduce((sum, { titles }) => sum + titles.length, 0);
      return { name, total, hybrid: compare('hybrid', sets), ranks: compare('ranks', sets) };
    },
  );
  const shares = (sets: readonly Asked[]) => sets.flatMap((set) => methods.map((method) => sharesOf(set, method)));
  const [anyShares, oneShares] = [shares(any), shares(one)];
  return {
    benchmark: 'hybrid',
    method:
      'Job titles, each once, as queries against the O*NET occupations (title and description), and one query against the staffing ' +
      'corpus, embedded with the embedded model, through the gateway: by vector, by words, by both ("hybrid", as ' +
      'configured by default), and by reciprocal rank fusion of the first two (constant 60, "ranks").',
    tables: [
      shareTable('Any occupation counts that a title belongs to; different titles', anyShares),
      differenceTable(compared),
      shareTable('Only the occupation counts that a title was drawn for; the draws of evaluate:onet', oneShares),
      forkliftTable(forklift),
    ],
    checks: [
      ...compared.map(({ name, total, hybrid }) => ({
        name: `hit@1 of hybrid less that of vector, lower end of the 95 % interval: ${name}`,
        value: hybrid.low,
        // Above zero: by one query at least.
        bar: 1 / total,
        comparison: 'at least' as const,
      })),
      {
        name: `${forkliftRole}s among the first ten for "${forkliftQuery}", hybrid`,
        value: forklift.hybrid?.ofTheRole ?? 0,
        bar: forkliftMin,
        comparison: 'at least' as const,
      },
    ],
    notes: [
      'The interval is a paired percentile bootstrap over queries. The system before this one found none of 569 forklift ' +
        'operators among 5,000 workers for that query; here as many are in the seeded corpus.',
    ],
    results: { any: anyShares, one: oneShares, compared, forklift },
  };
}

interface SetShares {
  readonly set: string;
  readonly method: Method;
  readonly shares: readonly Share[];
}

function sharesOf(set: Asked, method: Method): SetShares {
  const shares = hitDepths.map((k) => wilsonShare(hitsOf(set, method, k).filter(Boolean).length, set.titles.length));
  return { set: set.name, method, shares };
}

const right = (titles: readonly string[]) => titles.map((title) => ({ title, right: true }));

function shareTable(title: string, shares: readonly SetShares[]) {
  return {
    title,
    columns: [{ title: 'queries' }, { title: 'by' }, ...right(['hit@1', 'hit@5', 'hit@10', 'of'])],
    rows: shares.map(({ set, method, shares: at }) => [
      set,
      method,
      ...at.map(({ share }) => share.toFixed(4)),
      figure(at[0]?.total ?? 0),
    ]),
  };
}

function differenceTable(compared: readonly { name: string; hybrid: PairedDifference; ranks: PairedDifference }[]) {
  const row = (name: string, method: string, { difference, low, high, wins, losses }: PairedDifference) => [
    name,
    method,
    ...[difference, low, high].map((value) => value.toFixed(4)),
    figure(wins),
    figure(losses),
  ];
  return {
    title: 'hit@1 less that of vector alone, with 95 % intervals (paired bootstrap)',
    columns: [{ title: 'queries' }, { title: 'by' }, ...right(['difference', 'low', 'high', 'wins', 'losses'])],
    rows: compared.flatMap(({ name, hybrid, ranks }) => [row(name, 'hybrid', hybrid), row(name, 'ranks', ranks)]),
  };
}

function forkliftTable(forklift: Measured['forklift']) {
  return {
    title: `"${forkliftQuery}": the first ten`,
    columns: [{ title: 'by' }, ...right([`${forkliftRole}s`, 'with OSHA-30']), { title: 'first' }],
    rows: Object.entries(forklift).map(([method, { ofTheRole, withCertificate, firstRole }]) => [
      method,
      figure(ofTheRole),
      figure(withCertificate),
      firstRole,
    ]),
  };
}
