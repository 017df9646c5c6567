import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { benchMain } from './command.ts';
import { writeEvidenceRows } from './evidence-rows.ts';
import { readResident } from './memory-parts.ts';
import { type BenchStack, startBenchStack } from './processes.ts';
import { compiled, reportsDirectory } from './project.ts';
import type { Findings } from './report.ts';
import { figure } from './report.ts';
import { readSurroundings, type Surroundings } from './surroundings.ts';

const script = 'dist/scripts/bench/distill.js';
const rowsFactor = 4;
/** A process's heap is collected when there is room to gain, not at once: the bar leaves that much between two peaks. */
const growthBarBytesPerRow = 1_024;
const lookEveryMs = 20;
const inMegabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;

/** The commands that are measured, in their order; each is a process of its own. */
const steps = [
  { name: 'evidence import', args: ['evidence', 'import', 'source'] },
  { name: 'distill run-all', args: ['distill', 'run-all', '--run-id', 'first'] },
  { name: 'distill run-all, again', args: ['distill', 'run-all', '--run-id', 'again'] },
  { name: 'audit-full', args: ['audit-full', '--schema-tests', ''] },
] as const;
type StepName = (typeof steps)[number]['name'];

interface StepMeasure {
  readonly name: StepName;
  readonly seconds: number;
  readonly peakBytes: number;
  readonly answer: Readonly<Record<string, unknown>>;
}

interface SizeMeasure {
  readonly rows: number;
  readonly bytes: number;
  readonly steps: readonly StepMeasure[];
}

await benchMain({
  name: 'distill',
  script,
  summary: 'Throughput and peak memory of importing evidence, distilling it, distilling it again and auditing it.',
  reports: reportsDirectory('distillation-run'),
  flags: {
    rows: {
      default: '10000',
      description: `Source rows of the smaller run; the larger has ${rowsFactor} times as many.`,
    },
    seed: { default: '1', description: 'Of the rows.' },
  },
  async run({ count, note, argv }) {
    const rows = count('rows', 1_000, 1_000_000);
    const seed = count('seed', 0, 2 ** 31);
    const sizes: SizeMeasure[] = [];
    let surroundings: Surroundings | undefined;
    for (const size of [rows, rows * rowsFactor]) {
      await using stack = await startBenchStack({ note, processes: [] });
      surroundings ??= readSurroundings(script, argv, stack.natsServerVersion);
      sizes.push(await measureSize(stack, size, seed, note));
    }
    const [smaller, larger] = sizes;
    if (smaller === undefined || larger === undefined || surroundings === undefined)
      throw new Error('a size was not measured');
    return { findings: { ...describe(smaller, larger), seed }, surroundings };
  },
});

async function measureSize(
  stack: BenchStack,
  rows: number,
  seed: number,
  note: (line: string) => void,
): Promise<SizeMeasure> {
  const bytes = await writeEvidenceRows(join(stack.dataDirectory, 'source'), { rows, seed });
  const measured: StepMeasure[] = [];
  for (const step of steps) {
    const one = await measureStep(stack, step);
    measured.push(one);
    note(`${rows} rows, ${step.name}: ${one.seconds.toFixed(1)} s, peak ${inMegabytes(one.peakBytes)}`);
  }
  return { rows, bytes, steps: measured };
}

/** Runs a command of the product and looks at the peak that the kernel counts for it, until it has ended. */
async function measureStep(stack: BenchStack, { name, args }: (typeof steps)[number]): Promise<StepMeasure> {
  const began = performance.now();
  const child = spawn(process.execPath, [compiled('scripts', 'lakehouse.js'), ...args, '--json'], {
    cwd: stack.dataDirectory,
    env: { ...process.env, ...stack.environmentOf('operator') },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [out, told, peakBytes] = ['', '', 0];
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString('utf8');
  });
  child.stderr.on('data', (chunk: Buffer) => {
    told = `${told}${chunk.toString('utf8')}`.slice(-2_000);
  });
  const looking = setInterval(() => {
    // A process that has just ended has no memory any more.
    readResident(child.pid ?? 0).then(
      ({ peak }) => {
        peakBytes = Math.max(peakBytes, peak);
      },
      () => undefined,
    );
  }, lookEveryMs);
  const [code] = await once(child, 'close');
  clearInterval(looking);
  const seconds = (performance.now() - began) / 1_000;
  if (code !== 0 && name !== 'audit-full') throw new Error(`"lakehouse ${args.join(' ')}" ended with ${code}: ${told}`);
  return { name, seconds, peakBytes, answer: JSON.parse(out) };
}

function describe(smaller: SizeMeasure, larger: SizeMeasure): Omit<Findings, 'seed'> {
  const pairs = steps.map(({ name }) => {
    const of = (size: SizeMeasure) => size.steps.find((step) => step.name === name);
    const [small, large] = [of(smaller), of(larger)];
    if (small === undefined || large === undefined) throw new Error(`"${name}" was not measured`);
    const growthPerRow = (large.peakBytes - small.peakBytes) / (larger.rows - smaller.rows);
    return { name, small, large, growthPerRow };
  });
  const rate = (rows: number, seconds: number) => figure(rows / seconds);
  return {
    benchmark: 'distillation',
    method:
      'Generated source rows of eight sources, imported into EVIDENCE of a server of their own, distilled, distilled ' +
      'again and audited; each command a process of its own, as an operator starts it, its start included.',
    settings: { rows: smaller.rows, rows_larger: larger.rows, bytes: smaller.bytes, bytes_larger: larger.bytes },
    tables: [
      {
        title: 'Throughput and peak resident memory',
        columns: [
          { title: 'command' },
          ...[smaller, larger].flatMap(({ rows }) => [
            { title: `rows/s, ${rows}`, right: true },
            { title: `peak, ${rows}`, right: true },
          ]),
          { title: 'growth, bytes a row', right: true },
        ],
        rows: pairs.map(({ name, small, large, growthPerRow }) => [
          name,
          rate(smaller.rows, small.seconds),
          inMegabytes(small.peakBytes),
          rate(larger.rows, large.seconds),
          inMegabytes(large.peakBytes),
          figure(growthPerRow),
        ]),
      },
    ],
    checks: [
      ...pairs.map(({ name, growthPerRow }) => ({
        name: `${name}: peak grows by so many bytes a row`,
        value: growthPerRow,
        bar: growthBarBytesPerRow,
        comparison: 'at most' as const,
      })),
      ...[smaller, larger].flatMap((size) => conditionsOf(size)),
    ],
    notes: [
      `A source row has ${figure(larger.bytes / larger.rows)} bytes on the average; all of them as text are ${inMegabytes(larger.bytes)} in the larger run.`,
      "The peaks are the kernel's (VmHWM), looked at every 20 ms.",
    ],
    results: { smaller, larger },
  };
}

/** A run that lost rows, or that wrote them twice, says nothing about speed. */
function conditionsOf({ rows, steps: measured }: SizeMeasure): Findings['checks'][number][] {
  const summaryOf = (name: StepName) => {
    const answer = measured.find((step) => step.name === name)?.answer;
    return (answer?.summary ?? {}) as {
      total_records_in?: number;
      stages?: { records_in: number }[];
      run_hash?: string;
    };
  };
  const [first, again] = [summaryOf('distill run-all'), summaryOf('distill run-all, again')];
  const collected = first.stages?.[0]?.records_in ?? 0;
  const condition = { comparison: 'at least', kind: 'condition' } as const;
  return [
    { ...condition, name: `rows collected of ${rows}`, value: collected, bar: rows },
    {
      ...condition,
      name: `the second run of ${rows} rows has the hash of the first (1: yes)`,
      value: first.run_hash !== undefined && first.run_hash === again.run_hash ? 1 : 0,
      bar: 1,
    },
  ];
}
