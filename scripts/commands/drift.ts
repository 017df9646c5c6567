import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { defaultPlaybookCorpus } from '../../schemas/events/playbook.ts';
import { baselineLogPath, loadBaselines } from '../../workers/audit/baseline-log.ts';
import { readRun, runIds } from '../../workers/distillation/run/run.ts';
import { baselineDrift, formatChange, summarizeDrift } from '../../workers/drift/baseline-drift.ts';
import { kolmogorovSmirnov } from '../../workers/drift/kolmogorov-smirnov.ts';
import { playbookDrift } from '../../workers/drift/playbook-drift.ts';
import { populationStability } from '../../workers/drift/population-stability.ts';
import { numberOf } from '../command/arguments.ts';
import { command, type RunContext } from '../command/define.ts';
import { CommandError, usageError } from '../command/errors.ts';
import { dataDirectoryOf, gatewayArguments, openGateway } from '../command/gateway.ts';
import { openLog } from '../command/log-access.ts';
import { textTable } from '../command/table.ts';
import { nearestDistances } from '../drift/distances.ts';
import { livePlaybooks, standingsOf } from '../drift/recorded-answers.ts';
import { scorerDriftOf } from '../drift/scores-on-disk.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { bucketPlot, distributionPlot } from '../plot/samples.ts';
import { createProgress } from '../progress.ts';

const kMax = 1_000;
const shownMax = 20;

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
  plot: { type: 'string', valueHint: 'FILE', description: 'population, embedding: writes a picture, SVG.' },
  ...gatewayArguments,
} as const;
type Context = RunContext<typeof args>;

export default command({
  summary: 'Tells what has drifted: counts, scores, runs, recorded answers, distances.',
  examples: [
    'drift baselines',
    'drift scorer --json',
    'drift runs',
    'drift playbooks --k 10',
    'drift population --since 2026-11-17T09:00:00Z --plot population.svg',
    'drift embedding --corpus workers --plot distances.svg',
  ],
  args,
  async run(context) {
    const kind = Object.keys(kinds).find((name) => name === context.args.what) as keyof typeof kinds | undefined;
    if (kind === undefined)
      throw usageError(`"${context.args.what}" is no drift`, `Say one of ${Object.keys(kinds).join(', ')}.`);
    return kinds[kind](context);
  },
});

const kinds = { baselines, scorer, runs, playbooks, population, embedding };

/** The newest baseline beside the one before, and beside the first. */
async function baselines({ args: given, output }: Context): Promise<ExitCode> {
  const entries = await loadBaselines(join(rootOf(given), baselineLogPath));
  const current = entries.at(-1);
  if (current === undefined)
    throw nothing('there is no baseline yet', '"lakehouse audit-full --append-baseline" makes one.');
  const compared = {
    before: baselineDrift(entries.at(-2)?.metrics, current.metrics),
    first: baselineDrift(entries[0]?.metrics, current.metrics),
  };
  const table = (rows: typeof compared.before) =>
    textTable(
      [
        { title: 'metric' },
        { title: 'before', right: true },
        { title: 'now', right: true },
        { title: 'change', right: true },
        { title: '' },
      ],
      rows.map(({ metric, baseline, current: now, change, flag }) => [
        metric,
        String(baseline ?? '-'),
        String(now),
        formatChange(change),
        flag,
      ]),
    );
  const text = [
    `against the baseline before: ${summarizeDrift(compared.before)}`,
    table(compared.before),
    '',
    `against the first of ${entries.length}: ${summarizeDrift(compared.first)}`,
    table(compared.first),
  ].join('\n');
  output.answer({ entries: entries.length, ...compared }, text);
  return exitCodes.done;
}

async function scorer({ args: given, output }: Context): Promise<ExitCode> {
  const drift = await scorerDriftOf(rootOf(given));
  const table = textTable(
    [{ title: 'from' }, { title: 'to' }, { title: 'rows', right: true }],
    drift.shifts.map(({ from, to, count }) => [from, to, String(count)]),
  );
  output.answer(
    drift,
    `${drift.drifted} of ${drift.total} scores would be others under ${drift.scorer_version} (${(drift.drift_rate * 100).toFixed(1)} %)\n${table}`,
  );
  return exitCodes.done;
}

async function runs({ args: given, output }: Context): Promise<ExitCode> {
  const root = rootOf(given);
  const found = [];
  for (const runId of await runIds(root)) {
    const run = await readRun(root, runId);
    if (run?.drift !== undefined) found.push(run.drift);
  }
  found.sort((left, right) => (left.generated_at < right.generated_at ? -1 : 1));
  if (found.length === 0) throw nothing('there is no run yet', '"lakehouse distill run-all" makes one.');
  const table = textTable(
    [{ title: 'run' }, { title: 'against' }, { title: 'severity' }, { title: 'flags' }],
    found
      .slice(-shownMax)
      .map(({ run_id, prior_run_id, severity, flags }) => [run_id, prior_run_id ?? '-', severity, flags.join(', ')]),
  );
  output.answer({ runs: found }, table);
  return found.at(-1)?.severity === 'alert' ? exitCodes.differs : exitCodes.done;
}

async function playbooks({ args: given, output }: Context): Promise<ExitCode> {
  const k = numberOf('k', given.k, { min: 1, max: kMax });
  const { connection } = await openLog(given['data-dir']);
  try {
    const live = await livePlaybooks(connection, given.corpus ?? defaultPlaybookCorpus);
    const progress = createProgress({
      label: 'asking again',
      total: live.length,
      stream: output.progress,
      now: () => performance.now(),
    });
    const standings = await standingsOf(await openGateway(given), live, k, progress.update);
    progress.finish();
    const drift = playbookDrift(standings, k);
    const table = textTable(
      [{ title: 'playbook' }, { title: 'answer' }, { title: 'query' }],
      drift.entries
        .slice(0, shownMax)
        .map(({ playbook_id, answer_id, query_text }) => [playbook_id, answer_id, query_text]),
    );
    output.answer(
      drift,
      `${drift.drifted} of ${drift.total} recorded answers are not among the first ${k} by meaning alone\n${drift.entries.length === 0 ? '' : table}`.trimEnd(),
    );
    return exitCodes.done;
  } finally {
    await connection.drain();
  }
}

async function population(context: Context): Promise<ExitCode> {
  const { before, after, splitMs } = await distances(context);
  const stability = populationStability(before, after);
  const split = new Date(splitMs).toISOString();
  if (context.args.plot !== undefined) {
    const buckets = stability.buckets.map(({ from, to, baseline, current }) => ({
      from,
      to,
      shares: [baseline, current] as const,
    }));
    await writeFile(
      context.args.plot,
      bucketPlot('Distance of the nearest result', 'distance', [`before ${split}`, 'since'], buckets),
    );
  }
  const told =
    stability.index === null
      ? 'nothing to compare'
      : `population stability index ${stability.index.toFixed(4)}: ${stability.verdict}`;
  context.output.answer(
    { ...stability, before: before.length, after: after.length, split },
    `${told} (${before.length} searches before ${split}, ${after.length} since)`,
  );
  return exitCodes.done;
}

async function embedding(context: Context): Promise<ExitCode> {
  const { before, after, splitMs } = await distances(context);
  const test = kolmogorovSmirnov(before, after);
  const split = new Date(splitMs).toISOString();
  if (context.args.plot !== undefined && before.length > 0 && after.length > 0)
    await writeFile(
      context.args.plot,
      distributionPlot('Distance of the nearest result', 'distance', [
        { name: `before ${split}`, values: before },
        { name: 'since', values: after },
      ]),
    );
  const told =
    test.statistic === null || test.pValue === null
      ? 'nothing to compare'
      : `Kolmogorov-Smirnov D ${test.statistic.toFixed(4)}, p ${test.pValue.toPrecision(3)}: ${test.drifted ? 'the distances have drifted' : 'no drift to be seen'}`;
  context.output.answer(
    { ...test, split },
    `${told} (${before.length} searches before ${split}, ${after.length} since)`,
  );
  return exitCodes.done;
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

function rootOf(given: { 'data-dir'?: string | undefined }): string {
  return dataDirectoryOf(given['data-dir'], process.env);
}

function nothing(happened: string, remedy: string): CommandError {
  return new CommandError(exitCodes.absent, { happened, means: 'There is nothing to compare.', remedy });
}
