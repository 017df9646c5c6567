import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { LoadReport } from '../loadgen/report.ts';
import { loadBodies } from '../staffing/demand.ts';
import { benchMain } from './command.ts';
import { type Generator, startGenerator, sumFailures } from './generator.ts';
import { type BenchStack, startBenchStack } from './processes.ts';
import { compiled, reportsDirectory } from './project.ts';
import { untilQuiet } from './quiet.ts';
import { type Findings, figure } from './report.ts';
import { bodiesCount, searchBodies, searchPath, warmUp } from './search-setup.ts';
import { type EmbeddedWorker, embedWorkers, ingestWorkers } from './staffing-corpus.ts';
import { readSurroundings } from './surroundings.ts';

const script = 'dist/scripts/bench/load.js';
const corpus = 'workers';
const smallCount = 200;
const settleDeadlineMs = 180_000;

/** One run of the original's load tests, with the rate that was published for it (other hardware). */
interface PlannedRun {
  readonly label: string;
  readonly through: 'direct' | 'proxy';
  readonly concurrency: number;
  readonly seconds: number;
  readonly publishedRps: number;
}

const smallRuns: readonly PlannedRun[] = [
  { label: 'proxy', through: 'proxy', concurrency: 1, seconds: 10, publishedRps: 408 },
  { label: 'proxy', through: 'proxy', concurrency: 10, seconds: 30, publishedRps: 484 },
  { label: 'direct', through: 'direct', concurrency: 10, seconds: 30, publishedRps: 2_772 },
];
const largeRuns = (seconds: number): readonly PlannedRun[] =>
  [
    [10, 2_704],
    [50, 6_381],
    [100, 6_963],
    [200, 8_114],
  ].map(([concurrency = 1, publishedRps = 0]) => ({
    label: 'direct',
    through: 'direct',
    concurrency,
    seconds,
    publishedRps,
  }));

interface FinishedRun extends PlannedRun {
  readonly workers: number;
  readonly bodies: number;
  readonly report: LoadReport;
}

await benchMain({
  name: 'load',
  script,
  summary: "The original's load tests: 200 workers through a proxy and direct, then 5,000 workers direct.",
  reports: reportsDirectory('load'),
  flags: {
    duration: { default: '30', description: 'Seconds of each run over the larger corpus.' },
    scale: { default: '1', description: 'Factor on the lengths of the first three runs (10, 30 and 30 s).' },
    workers: { default: '5000', description: 'Staffing workers in the larger corpus.' },
    seed: { default: '1', description: 'Of the workers and the queries.' },
  },
  async run({ count, number, note, argv }) {
    const seed = count('seed', 0, 2 ** 31);
    const scale = number('scale', 0.01, 100);
    const seconds = number('duration', 0.2, 3_600);
    await using stack = await startBenchStack({ note });
    const surroundings = readSurroundings(script, argv, stack.natsServerVersion);
    const embedded = await embedWorkers(stack.client, { count: count('workers', 200, 100_000), seed, note });
    await using generator = await startGenerator();
    await using proxy = await startProxyProcess(stack.gatewayUrl);
    const bases = { direct: stack.gatewayUrl, proxy: proxy.url };
    const small = smallRuns.map((run) => ({ ...run, seconds: run.seconds * scale }));
    const six = loadBodies.map((body) => JSON.stringify(body));
    const common = { stack, generator, bases, note };
    const finished = [
      ...(await runAll({
        ...common,
        added: embedded.slice(0, smallCount),
        total: smallCount,
        bodies: six,
        runs: small,
      })),
      ...(await runAll({
        ...common,
        added: embedded.slice(smallCount),
        total: embedded.length,
        bodies: searchBodies(corpus, seed, bodiesCount),
        runs: largeRuns(seconds),
      })),
    ];
    const settings = { seconds, scale, workers: embedded.length };
    return { findings: { ...describe(finished), seed, settings }, surroundings };
  },
});

interface RunAllOptions {
  readonly stack: BenchStack;
  readonly generator: Generator;
  readonly bases: Readonly<Record<PlannedRun['through'], string>>;
  readonly note: (line: string) => void;
  /** Workers that join the corpus before the runs, and how many it then has. */
  readonly added: readonly EmbeddedWorker[];
  readonly total: number;
  readonly bodies: readonly string[];
  readonly runs: readonly PlannedRun[];
}

async function runAll(options: RunAllOptions): Promise<FinishedRun[]> {
  const { stack, generator, bases, note, added, total, bodies, runs } = options;
  await ingestWorkers(stack.client, corpus, added);
  await untilQuiet(stack.pidOf('index'), settleDeadlineMs);
  await warmUp(generator, `${bases.direct}${searchPath}`, bodies);
  const finished: FinishedRun[] = [];
  for (const run of runs) {
    const url = `${bases[run.through]}${searchPath}`;
    const durationMs = run.seconds * 1_000;
    const report = await generator.run({ url, bodies, concurrency: run.concurrency, durationMs });
    note(`${total} workers, ${run.label}, concurrency ${run.concurrency}: ${report.rps.toFixed(0)} a second`);
    finished.push({ ...run, workers: total, bodies: bodies.length, report });
  }
  return finished;
}

interface ProxyProcess extends AsyncDisposable {
  readonly url: string;
}

async function startProxyProcess(target: string): Promise<ProxyProcess> {
  const child: ChildProcess = spawn(
    process.execPath,
    [compiled('scripts', 'proxy', 'main.js'), '--target', target, '--port', '0'],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const exited = once(child, 'exit');
  if (child.stdout === null) throw new Error('the proxy has no output to read its address from');
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  const { url } = JSON.parse(String(line)) as { url: string };
  return {
    url,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGTERM');
      await exited;
    },
  };
}

function describe(runs: readonly FinishedRun[]): Omit<Findings, 'seed' | 'settings'> {
  const failures = sumFailures(runs.map(({ report }) => report));
  const columns = [
    'conc',
    'time s',
    'requests',
    'RPS',
    'p50 ms',
    'p95 ms',
    'p99 ms',
    'max ms',
    'errors',
    'published RPS',
  ];
  return {
    benchmark: 'load',
    method:
      'The load tests of the original system, repeated: matrix search without playbooks, query vectors cached; ' +
      `${smallCount} workers and six bodies through a proxy and direct, then more workers and ${bodiesCount} bodies direct.`,
    tables: [
      {
        title: 'Runs',
        columns: [
          { title: 'workers', right: true },
          { title: 'bodies', right: true },
          { title: 'path' },
          ...columns.map((title) => ({ title, right: true })),
        ],
        rows: runs.map(({ workers, bodies, label, concurrency, report, publishedRps }) => {
          const { p50, p95, p99, max } = report.latencyMs ?? {
            p50: Number.NaN,
            p95: Number.NaN,
            p99: Number.NaN,
            max: Number.NaN,
          };
          const errors = report.requests - report.ok;
          const figures = [
            concurrency,
            report.elapsedMs / 1_000,
            report.requests,
            report.rps,
            p50,
            p95,
            p99,
            max,
            errors,
          ];
          return [figure(workers), figure(bodies), label, ...[...figures, publishedRps].map(figure)];
        }),
      },
    ],
    checks: [
      { name: 'answers other than 2xx', value: failures.non2xx, bar: 0, comparison: 'at most' },
      { name: 'transport errors', value: failures.transport, bar: 0, comparison: 'at most' },
    ],
    notes: ['The published rates come from other hardware; they stand here for their proportions to one another.'],
    results: { failures, runs },
  };
}
