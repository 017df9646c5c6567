import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { defaultPlaybookCorpus } from '../../schemas/events/playbook.ts';
import { numberOf } from '../command/arguments.ts';
import { command, type RunContext } from '../command/define.ts';
import { usageError } from '../command/errors.ts';
import { dataDirectoryOf, gatewayArguments, openGateway } from '../command/gateway.ts';
import { openLog } from '../command/log-access.ts';
import { nearestDistances } from '../drift/distances.ts';
import { baselines } from '../drift/kinds/baselines.ts';
import { embedding, population } from '../drift/kinds/distances.ts';
import { playbooks } from '../drift/kinds/playbooks.ts';
import { runs } from '../drift/kinds/runs.ts';
import { scorer } from '../drift/kinds/scorer.ts';
import { type Told, toldMarkdown, toldText } from '../drift/told.ts';
import { createProgress } from '../progress.ts';
import { writeReport } from '../write-report.ts';

const kMax = 1_000;

const args = {
  what: {
    type: 'positional',
    required: true,
    description: 'baselines, scorer, runs, playbooks, population or embedding.',
  },
  corpus: { type: 'string', description: 'playbooks: the playbook corpus; population, embedding: of which searches.' },
  k: { type: 'string', default: '10', description: 'playbooks: an answer below this rank has drifted.' },
  since: {
    type: 'string',
    valueHint: 'TIME',
    description: 'population, embedding: from when on is "now" (the middle).',
  },
  output: {
    type: 'string',
    valueHint: 'DIRECTORY',
    description: 'Where table, JSON and picture are written (reports/drift in the data directory).',
  },
  plot: { type: 'string', valueHint: 'FILE', description: 'Writes the picture, SVG, to a file too.' },
  ...gatewayArguments,
} as const;
type Context = RunContext<typeof args>;

export default command({
  summary: 'Tells what has drifted: counts, scores, runs, recorded answers, distances.',
  examples: [
    'drift baselines',
    'drift scorer --json',
    'drift runs --output drift',
    'drift playbooks --k 10',
    'drift population --since 2026-11-17T09:00:00Z --plot population.svg',
    'drift embedding --corpus workers',
  ],
  args,
  async run(context) {
    const { args: given, output } = context;
    const kind = given.what;
    const read = Object.hasOwn(kinds, kind) ? kinds[kind] : undefined;
    if (read === undefined) throw usageError(`"${kind}" is no drift`, `Say one of ${Object.keys(kinds).join(', ')}.`);
    const told = await read(context);
    const directory = given.output ?? join(rootOf(context), 'reports', 'drift');
    const written = await writeReport(directory, kind, { ...told, markdown: toldMarkdown(told) });
    if (given.plot !== undefined && told.svg !== undefined) await writeFile(given.plot, told.svg);
    output.answer(
      { ...told.json, written },
      [toldText(told), '', ...written.map((path) => `written: ${path}`)].join('\n'),
    );
    return told.exitCode;
  },
});

const kinds: Readonly<Record<string, (context: Context) => Promise<Told>>> = {
  baselines: (context) => baselines(rootOf(context)),
  scorer: (context) => scorer(rootOf(context)),
  runs: (context) => runs(rootOf(context)),
  playbooks: askAgain,
  population: async (context) => population(await distances(context)),
  embedding: async (context) => embedding(await distances(context)),
};

async function askAgain({ args: given, output }: Context): Promise<Told> {
  const k = numberOf('k', given.k, { min: 1, max: kMax });
  const { connection } = await openLog(given['data-dir']);
  try {
    const progress = createProgress({ label: 'asking again', stream: output.progress, now: () => performance.now() });
    const client = await openGateway(given);
    const told = await playbooks({ connection, client }, given.corpus ?? defaultPlaybookCorpus, k, progress.update);
    progress.finish();
    return told;
  } finally {
    await connection.drain();
  }
}

async function distances({ args: given }: Context): Promise<Awaited<ReturnType<typeof nearestDistances>>> {
  const sinceMs = given.since === undefined ? undefined : Date.parse(given.since);
  if (sinceMs !== undefined && Number.isNaN(sinceMs))
    throw usageError(`"${given.since}" is not a time`, 'Write it as 2026-11-17T09:00:00Z.');
  const { connection } = await openLog(given['data-dir']);
  try {
    return await nearestDistances(connection, given.corpus, sinceMs);
  } finally {
    await connection.drain();
  }
}

function rootOf({ args: given }: Context): string {
  return dataDirectoryOf(given['data-dir'], process.env);
}
