import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { messageSchema, type Task } from '../../workers/rebuild/task.ts';
import type { BareTask } from './children/bare-graph.ts';
import { startChild } from './children.ts';
import { benchMain } from './command.ts';
import { type BenchStack, startBenchStack } from './processes.ts';
import { compiled, reportsDirectory } from './project.ts';
import { figure } from './report.ts';
import { median, medianRatio } from './statistics.ts';
import { readSurroundings } from './surroundings.ts';
import { appendVectorEvents, ownCorpus, ownDimension } from './vector-events.ts';

const script = 'dist/scripts/bench/replay.js';
const ratioMin = 0.9;
const outputBytesMax = 64 * 1024 * 1024;

await benchMain({
  name: 'replay',
  script,
  summary: 'Rebuilding an index from VECTORS in a fresh process, beside bare addPoint of the same vectors, by turns.',
  reports: reportsDirectory('bench'),
  flags: {
    documents: {
      default: '20000',
      description: `Documents of ${ownDimension} dimensions that brought their own vectors.`,
    },
    rounds: { default: '3', description: 'Rounds, each one rebuild and one bare build.' },
    seed: { default: '1', description: 'Of the documents and the vectors.' },
    'cpu-profile': { description: 'Folder for processor profiles of the rebuilds.' },
  },
  async run({ text, count, note, argv }) {
    const profile = text('cpu-profile');
    const profiled = profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`];
    const documents = count('documents', 1_000, 1_000_000);
    const rounds = count('rounds', 1, 100);
    const seed = count('seed', 0, 2 ** 31);
    await using stack = await startBenchStack({ note, processes: [] });
    const surroundings = readSurroundings(script, argv, stack.natsServerVersion);
    const embed = await stack.connectAs('embed');
    await appendVectorEvents(embed, { count: documents, seed, onProgress: () => {} });
    await embed.drain();
    note(`appended ${documents} events to VECTORS`);
    const rebuilds: number[] = [];
    const bare: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const runs = [
        async () => rebuilds.push(await rebuildRate(stack, documents, profiled)),
        async () => bare.push(documents / (await bareSeconds({ count: documents, seed }))),
      ];
      for (const run of round % 2 === 0 ? runs : runs.reverse()) await run();
      note(`round ${round + 1}: rebuild ${rebuilds.at(-1)?.toFixed(0)}, bare ${bare.at(-1)?.toFixed(0)} a second`);
    }
    const ratio = medianRatio(rebuilds, bare);
    const findings = {
      benchmark: 'replay',
      method:
        `A rebuild of ${documents} documents from VECTORS (the product's own rebuild process: read, decode, fold and ` +
        'graph, without digest and snapshot) beside bare addPoint of the same vectors in the same order with the same ' +
        'parameters, each in a fresh process, by turns.',
      settings: { documents, rounds, dimension: ownDimension },
      seed,
      tables: [
        {
          title: 'Documents a second',
          columns: ['round', 'rebuild', 'bare addPoint', 'ratio'].map((title) => ({ title, right: true })),
          rows: rebuilds.map((rate, at) =>
            [at + 1, rate, bare[at] ?? Number.NaN, rate / (bare[at] ?? Number.NaN)].map(figure),
          ),
        },
      ],
      checks: [{ name: 'rebuild / bare addPoint', value: ratio, bar: ratioMin, comparison: 'at least' as const }],
      notes: [`Medians: ${figure(median(rebuilds))} and ${figure(median(bare))} documents a second.`],
      results: { rebuilds, bare, ratio },
    };
    return { findings, surroundings };
  },
});

/** Documents a second as the rebuild itself reports it, from its first read to its last insertion. */
async function rebuildRate(stack: BenchStack, documents: number, nodeArguments: readonly string[]): Promise<number> {
  const task: Task = { task: 'rebuild', corpus: ownCorpus, kind: 'documents', compare: false, force: true, side: null };
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [...nodeArguments, compiled('workers', 'rebuild', 'main.js'), JSON.stringify(task)],
    { env: { ...process.env, ...stack.environmentOf('operator') }, maxBuffer: outputBytesMax },
  );
  for (const line of stdout.trim().split('\n')) {
    const message = messageSchema.parse(JSON.parse(line));
    if (message.say === 'failed') throw new Error(`the rebuild failed: ${message.message}`);
    if (message.say !== 'rebuilt') continue;
    const [run] = message.runs;
    if (run === undefined || run.documents.live !== documents)
      throw new Error(`the rebuild holds ${run?.documents.live ?? 0} of ${documents} documents`);
    return run.events_per_second;
  }
  throw new Error('the rebuild ended without saying so');
}

async function bareSeconds(task: BareTask): Promise<number> {
  await using child = await startChild('bare-graph');
  return (await child.ask(task)) as number;
}
