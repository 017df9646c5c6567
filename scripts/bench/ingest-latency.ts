import { setTimeout as delay } from 'node:timers/promises';
import type { LoadReport } from '../loadgen/report.ts';
import type { IngestDone, IngestMessage, IngestTask } from './children/ingest.ts';
import { type Child, startChild } from './children.ts';
import { benchMain } from './command.ts';
import { type Generator, startGenerator, sumFailures } from './generator.ts';
import { type BenchStack, startBenchStack } from './processes.ts';
import { reportsDirectory } from './project.ts';
import { untilQuiet } from './quiet.ts';
import { type Findings, figure } from './report.ts';
import { searchBodies, searchPath, warmUp } from './search-setup.ts';
import { embedWorkers, ingestWorkers } from './staffing-corpus.ts';
import { median, medianRatio } from './statistics.ts';
import { readSurroundings } from './surroundings.ts';

const script = 'dist/scripts/bench/ingest-latency.js';
const corpus = 'workers';
const settleDeadlineMs = 180_000;
const catchUpDeadlineMs = 120_000;
const pollMs = 100;
const idleConcurrencies = [10, 50];
const openLoopConnections = 100;
const ratioMax = 3;

/** Two runs of one round, at one rate: without and with documents coming in. */
interface Round {
  /** Searches a second, in a closed loop over the corpus as it was when the round began. */
  readonly idleMaximum: number;
  /** Searches a second that both runs intend. */
  readonly rate: number;
  readonly quiet: LoadReport;
  readonly ingesting: LoadReport;
  readonly ingest: IngestDone;
  /** From the end of the search run until the last document was searchable. */
  readonly catchUpMs: number;
}

await benchMain({
  name: 'ingest-latency',
  script,
  summary: 'Search latency in an open loop at half the idle maximum, with and without documents coming in, by turns.',
  reports: reportsDirectory('bench'),
  flags: {
    rounds: { default: '5', description: 'Rounds, each one run without and one with documents coming in.' },
    seconds: { default: '10', description: 'Length of one run.' },
    workers: { default: '5000', description: 'Staffing workers in the corpus at the start.' },
    documents: { default: '200', description: 'Documents that come in a second, each with its own vector.' },
    batch: { default: '10', description: 'Documents in one POST /v1/ingest.' },
    rate: { description: 'Searches a second; half the idle maximum, measured first, unless given.' },
    seed: { default: '1', description: 'Of workers, vectors and queries.' },
  },
  async run({ text, count, number, note, argv }) {
    const seed = count('seed', 0, 2 ** 31);
    const rounds = count('rounds', 1, 100);
    const durationMs = number('seconds', 0.5, 600) * 1_000;
    await using stack = await startBenchStack({ note });
    const surroundings = readSurroundings(script, argv, stack.natsServerVersion);
    const embedded = await embedWorkers(stack.client, { count: count('workers', 200, 100_000), seed, note });
    await ingestWorkers(stack.client, corpus, embedded);
    await untilQuiet(stack.pidOf('index'), settleDeadlineMs);
    await using generator = await startGenerator();
    await using ingester = await startChild('ingest', { BENCH_GATEWAY: stack.gatewayUrl });
    const search = { url: `${stack.gatewayUrl}${searchPath}`, bodies: searchBodies(corpus, seed) };
    await warmUp(generator, search.url, search.bodies);
    const givenRate = text('rate') === undefined ? undefined : number('rate', 1, 1e6);
    const ingestRate = number('documents', 1, 100_000);
    const task = { corpus, documentsPerSecond: ingestRate, documentsPerRequest: count('batch', 1, 1_000), durationMs };
    const measured: Round[] = [];
    for (let round = 0, firstRow = embedded.length + 1; round < rounds; round++) {
      // Anew in each round: the corpus has grown, and a search of it takes longer.
      const idleMaximum = await measureIdleMaximum(generator, search, durationMs);
      const rate = givenRate ?? Math.floor(idleMaximum / 2);
      note(`round ${round + 1}: idle maximum ${idleMaximum.toFixed(0)} a second; open loop at ${rate}`);
      const run = () => generator.run({ ...search, concurrency: openLoopConnections, rate, durationMs });
      const withIngest = () => searchWhileIngesting(stack, ingester, run, { ...task, firstRow, seed });
      // Each kind goes first by turns: the corpus grows, and what comes second meets the larger one.
      const quietFirst = round % 2 === 0 ? await run() : undefined;
      const busy = await withIngest();
      const quiet = quietFirst ?? (await run());
      measured.push({ idleMaximum, rate, quiet, ...busy });
      firstRow += busy.ingest.documents;
      note(
        `round ${round + 1}: p99 ${quiet.latencyMs?.p99.toFixed(2)} ms, with ingest ${busy.ingesting.latencyMs?.p99.toFixed(2)} ms`,
      );
    }
    const settings = {
      rounds,
      seconds: durationMs / 1_000,
      rate: givenRate ?? 'half the idle maximum',
      documents_per_second: ingestRate,
    };
    const findings = describe(measured, { ingestRate, workers: embedded.length, halved: givenRate === undefined });
    return { findings: { ...findings, seed, settings }, surroundings };
  },
});

type Search = { readonly url: string; readonly bodies: readonly string[] };

/** The highest closed-loop rate, of the concurrencies that the bars speak of. */
async function measureIdleMaximum(generator: Generator, search: Search, durationMs: number): Promise<number> {
  const rates: number[] = [];
  for (const concurrency of idleConcurrencies) {
    const report = await generator.run({ ...search, concurrency, durationMs: durationMs / 2 });
    rates.push(report.rps);
  }
  return Math.max(...rates);
}

async function searchWhileIngesting(
  { client, pidOf }: BenchStack,
  ingester: Child,
  search: () => Promise<LoadReport>,
  task: IngestTask,
): Promise<Pick<Round, 'ingesting' | 'ingest' | 'catchUpMs'>> {
  const ask = (message: IngestMessage) => ingester.ask(message);
  await ask({ make: task });
  const [ingesting, ingest] = await Promise.all([search(), ask({ send: true }) as Promise<IngestDone>]);
  const began = performance.now();
  const wanted = task.firstRow - 1 + ingest.documents;
  const deadline = AbortSignal.timeout(catchUpDeadlineMs);
  for (;;) {
    const { indexes } = await client.indexInfo();
    const live = indexes.find((one) => one.corpus === corpus && one.kind === 'documents')?.live ?? 0;
    if (live >= wanted) break;
    if (deadline.aborted) throw new Error(`only ${live} of ${wanted} documents became searchable`);
    await delay(pollMs);
  }
  const catchUpMs = performance.now() - began;
  await untilQuiet(pidOf('index'), settleDeadlineMs);
  return { ingesting, ingest, catchUpMs };
}

interface Facts {
  readonly ingestRate: number;
  readonly workers: number;
  /** The rate is half the idle maximum, and not one that was given. */
  readonly halved: boolean;
}

function describe(rounds: readonly Round[], facts: Facts): Omit<Findings, 'seed' | 'settings'> {
  const percentile = (runs: readonly LoadReport[], pick: 'p50' | 'p99') =>
    runs.map(({ latencyMs }) => latencyMs?.[pick] ?? Number.NaN);
  const quiet = rounds.map((round) => round.quiet);
  const ingesting = rounds.map((round) => round.ingesting);
  const p99Ratio = medianRatio(percentile(ingesting, 'p99'), percentile(quiet, 'p99'));
  const failures = sumFailures([...quiet, ...ingesting]);
  const row = (name: string, at: number, { idleMaximum }: Round, report: LoadReport, catchUpMs?: number) => [
    String(at + 1),
    figure(idleMaximum),
    name,
    ...[
      report.rps,
      report.latencyMs?.p50 ?? Number.NaN,
      report.latencyMs?.p99 ?? Number.NaN,
      report.sendLagMs?.p99 ?? Number.NaN,
      report.requests - report.ok + report.unsent,
      catchUpMs ?? Number.NaN,
    ].map(figure),
  ];
  return {
    benchmark: 'ingest-latency',
    method:
      `Searches in an open loop at ${facts.halved ? 'half the idle maximum, which is measured anew in each round' : 'a given rate'}, ` +
      `over ${facts.workers} staffing workers at first, without and with ${facts.ingestRate} new documents a second that ` +
      'bring their own vectors through POST /v1/ingest of the same corpus, by turns. Latency counts from when a request was due.',
    tables: [
      {
        title: 'Runs',
        columns: [
          { title: 'round', right: true },
          { title: 'idle maximum', right: true },
          { title: 'ingest' },
          ...['searches/s', 'p50 ms', 'p99 ms', 'send lag p99 ms', 'errors', 'caught up after ms'].map((title) => ({
            title,
            right: true,
          })),
        ],
        rows: rounds.flatMap((round, at) => [
          row('no', at, round, round.quiet),
          row('yes', at, round, round.ingesting, round.catchUpMs),
        ]),
      },
    ],
    checks: [
      { name: 'p99 with ingest / p99 without', value: p99Ratio, bar: ratioMax, comparison: 'at most' },
      { name: 'answers other than 2xx', value: failures.non2xx, bar: 0, comparison: 'at most' },
      { name: 'transport errors', value: failures.transport, bar: 0, comparison: 'at most' },
      { name: 'searches never sent', value: failures.unsent, bar: 0, comparison: 'at most' },
    ],
    notes: [
      `Medians: p50 ${figure(median(percentile(quiet, 'p50')))} ms without and ${figure(median(percentile(ingesting, 'p50')))} ms with ingest, ` +
        `p99 ${figure(median(percentile(quiet, 'p99')))} and ${figure(median(percentile(ingesting, 'p99')))} ms. The send lag is the generator's own lateness and is part of the latency.`,
    ],
    results: { ...facts, p99Ratio, failures, rounds },
  };
}
