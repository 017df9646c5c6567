import type { RecallMeasurement } from '../../workers/corpus-index/corpus-index.ts';
import type { ShareFilter } from './filter-corpus.ts';
import type { Check, Findings } from './report.ts';
import { median } from './statistics.ts';

/** A filter, or none, and the answers of the first round. */
export interface Asked {
  readonly filter: ShareFilter | undefined;
  readonly answers: string[];
}

/** Work that was done in slices. */
export interface Prepared {
  readonly slices: number;
  readonly longestMs: number;
  readonly totalMs: number;
}

/** Milliseconds of every request, by the clock and of the processor. */
export interface Times {
  readonly wall: readonly number[];
  readonly processor: readonly number[];
}

/** The requests of one round, by what was asked. */
export interface Round {
  readonly times: readonly Times[];
}

export interface FilterMeasurements {
  readonly asked: readonly Asked[];
  readonly measured: readonly Round[];
  readonly recalls: readonly { readonly recall: number; readonly complete: number }[];
  readonly prepared: readonly Prepared[];
  readonly memory: { readonly columnBytes: number; readonly rssBytes: number };
  readonly tuning: Prepared;
  readonly recall: RecallMeasurement | undefined;
  readonly documents: number;
}

const recallMin = 0.99;
const slowdownMax = 4;
const megabytes = (bytes: number) => (bytes / 1e6).toFixed(1);

/** The value below which this part of the values lies. */
export function percentile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? Number.NaN;
}

export function describeFilters(given: FilterMeasurements): Omit<Findings, 'seed' | 'settings'> {
  const { asked, measured, recalls, prepared, memory, tuning, recall, documents } = given;
  const of = (place: number, kind: keyof Times, part: number) =>
    median(measured.map(({ times }) => percentile(times[place]?.[kind] ?? [], part)));
  const slowdown = (place: number, kind: keyof Times) =>
    median(
      measured.map(({ times }) => {
        const [one, none] = [times[place], times[0]].map((found) => percentile(found?.[kind] ?? [], 0.99));
        return (one ?? Number.NaN) / (none ?? Number.NaN);
      }),
    );
  const name = ({ filter }: Asked) =>
    filter === undefined ? 'no filter' : `${Number((filter.wanted * 100).toPrecision(2))} %`;
  const rows = asked.map((one, place) => [
    name(one),
    one.filter === undefined ? '-' : JSON.stringify(one.filter.filter),
    one.filter === undefined ? String(documents) : String(one.filter.kept.length),
    of(place, 'wall', 0.5).toFixed(3),
    of(place, 'wall', 0.99).toFixed(3),
    slowdown(place, 'wall').toFixed(2),
    of(place, 'processor', 0.99).toFixed(3),
    slowdown(place, 'processor').toFixed(2),
    (recalls[place]?.recall ?? Number.NaN).toFixed(4),
    (recalls[place]?.complete ?? Number.NaN).toFixed(3),
  ]);
  const preparedRows = prepared.map((one, place) => [
    name(asked[place + 1] ?? { filter: undefined, answers: [] }),
    one.totalMs.toFixed(0),
    String(one.slices),
    one.longestMs.toFixed(1),
  ]);
  const right = (title: string) => ({ title, right: true });
  return {
    benchmark: 'filter',
    method:
      `The matrix search service of the index worker in one process, bytes of a request to bytes of an answer, without bus ` +
      `and gateway: k = 10 over ${documents} documents that bring their own vectors (a mixture of 1,000 clusters) with ` +
      "workers' metadata, query vectors at hand; one request after the other, no filter and all filters by turns.",
    tables: [
      {
        title: 'Searches',
        columns: [
          { title: 'keeps' },
          { title: 'filter' },
          right('documents kept'),
          right('p50 ms'),
          right('p99 ms'),
          right('p99 / unfiltered'),
          right('processor p99 ms'),
          right('of it / unfiltered'),
          right('recall@10'),
          right('complete'),
        ],
        rows,
      },
      {
        title: 'The first search that names these fields',
        columns: [{ title: 'keeps' }, right('getting ready ms'), right('slices'), right('longest slice ms')],
        rows: preparedRows,
      },
    ],
    checks: asked.flatMap((one, place) => checksOf(name(one), place, recalls[place], slowdown(place, 'wall'))),
    notes: [
      'Processor time is all that the process used meanwhile: what others on the machine do shows less in it than in time by the clock, by which the bars are set.',
      `Percentiles and their ratios are the medians of the rounds. Recall is against a scan made by the benchmark over the documents that the filter's predicate keeps.`,
      recall === undefined
        ? 'No graph was searched: recall was not measured in the background.'
        : `ef ${recall.ef}: the smallest that reaches a recall of ${recall.target} by ${recall.queries} queries (${recall.recall.toFixed(4)}), measured in ${(tuning.totalMs / 1_000).toFixed(1)} s of slices of ${tuning.longestMs.toFixed(1)} ms at most.`,
      `Memory of the columns of these filters: ${megabytes(memory.columnBytes)} MB by the index's own estimate; the process grew by ${megabytes(memory.rssBytes)} MB while they were made, garbage included.`,
    ],
    results: { rounds: measured.map(summaryOf), recalls, prepared, memory, tuning, recall: recall ?? null },
  };
}

/** Of each filter in its order: percentiles by the clock and of the processor. */
function summaryOf({ times }: Round): object[] {
  const ends = (values: readonly number[]) => ({ p50: percentile(values, 0.5), p99: percentile(values, 0.99) });
  return times.map(({ wall, processor }) => ({ wallMs: ends(wall), processorMs: ends(processor) }));
}

function checksOf(
  name: string,
  place: number,
  found: FilterMeasurements['recalls'][number] | undefined,
  slowdown: number,
): Check[] {
  const checks: Check[] = [
    { name: `recall@10, ${name}`, value: found?.recall ?? Number.NaN, bar: recallMin, comparison: 'at least' },
    { name: `answers with ten results, ${name}`, value: found?.complete ?? Number.NaN, bar: 1, comparison: 'at least' },
  ];
  if (place === 0) return checks;
  return [
    ...checks,
    { name: `p99 / unfiltered p99, ${name}`, value: slowdown, bar: slowdownMax, comparison: 'at most' },
  ];
}
