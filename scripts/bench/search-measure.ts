import type { LoadReport } from '../loadgen/report.ts';
import type { Generator } from './generator.ts';
import { processorMs } from './quiet.ts';
import { median, medianRatio, rotated } from './statistics.ts';

/** Something that is asked over HTTP, beside others. */
export interface Target {
  readonly name: string;
  readonly url: string;
  readonly bodies: readonly string[];
  /** Processes that work for it, by what they are called in tables: their processor time is counted. */
  readonly processes: Readonly<Record<string, number>>;
}

export interface MeasureOptions {
  readonly targets: readonly Target[];
  readonly concurrencies: readonly number[];
  readonly rounds: number;
  readonly durationMs: number;
  readonly note: (line: string) => void;
}

/** One run of the generator against one target, in one round. */
export interface Measured {
  readonly target: string;
  readonly round: number;
  readonly report: LoadReport;
  /** Processor time of each process in microseconds a request. */
  readonly processorUs: Readonly<Record<string, number>>;
}

/** Asks every target at every concurrency in every round, each round beginning with another target. */
export async function measureTargets(generator: Generator, options: MeasureOptions): Promise<Measured[]> {
  const { targets, concurrencies, rounds, durationMs, note } = options;
  const measured: Measured[] = [];
  for (let round = 0; round < rounds; round++) {
    for (const concurrency of concurrencies) {
      for (const { name, url, bodies, processes } of rotated(targets, round)) {
        const before = await processorTimes(processes);
        const report = await generator.run({ url, bodies, concurrency, durationMs });
        const processorUs = perRequest(before, await processorTimes(processes), report.requests);
        measured.push({ target: name, round, report, processorUs });
        note(`round ${round + 1}, concurrency ${concurrency}, ${name}: ${report.rps.toFixed(0)} a second`);
      }
    }
  }
  return measured;
}

async function processorTimes(processes: Target['processes']): Promise<Map<string, number>> {
  const times = Object.entries(processes).map(async ([name, pid]) => [name, await processorMs(pid)] as const);
  return new Map(await Promise.all(times));
}

function perRequest(
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
  requests: number,
): Record<string, number> {
  const used = [...after].map(([name, ms]) => [name, ((ms - (before.get(name) ?? 0)) * 1_000) / requests] as const);
  return Object.fromEntries(used);
}

/** Processor time of a process in microseconds a request: the median of the rounds. */
export function processorCost(
  measured: readonly Measured[],
  target: string,
  concurrency: number,
): Readonly<Record<string, number>> {
  const runs = measured.filter((one) => one.target === target && one.report.concurrency === concurrency);
  const names = Object.keys(runs[0]?.processorUs ?? {});
  return Object.fromEntries(
    names.map((name) => [name, median(runs.map(({ processorUs }) => processorUs[name] ?? Number.NaN))]),
  );
}

/** The runs of one target at one concurrency, in the order of the rounds. */
export function runsOf(measured: readonly Measured[], target: string, concurrency: number): LoadReport[] {
  return measured
    .filter((one) => one.target === target && one.report.concurrency === concurrency)
    .sort((one, other) => one.round - other.round)
    .map(({ report }) => report);
}

/** Rate of one target over that of another at one concurrency: the median of the rounds' ratios. */
export function rateRatio(measured: readonly Measured[], one: string, other: string, concurrency: number): number {
  const rates = (target: string) => runsOf(measured, target, concurrency).map(({ rps }) => rps);
  return medianRatio(rates(one), rates(other));
}

export interface Summary {
  readonly target: string;
  readonly concurrency: number;
  /** Responses a second: of the rounds the middle, the least and the most. */
  readonly rps: number;
  readonly rpsMin: number;
  readonly rpsMax: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** The medians of the rounds. Percentiles are those of the rounds, not of all requests together. */
export function summarize(measured: readonly Measured[], target: string, concurrency: number): Summary {
  const runs = runsOf(measured, target, concurrency);
  const rates = runs.map(({ rps }) => rps);
  const latency = (pick: 'p50' | 'p99') => median(runs.map(({ latencyMs }) => latencyMs?.[pick] ?? Number.NaN));
  return {
    target,
    concurrency,
    rps: median(rates),
    rpsMin: Math.min(...rates),
    rpsMax: Math.max(...rates),
    p50Ms: latency('p50'),
    p99Ms: latency('p99'),
  };
}
