import { mkdir, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type DriftReport,
  driftReportSchema,
  type RunSummary,
  runSummarySchema,
  type StageReceipt,
  stageNames,
  stageReceiptSchema,
} from '../../../schemas/distillation/receipts.ts';
import { type ComparedRun, runDrift } from '../../drift/run-drift.ts';
import type { SourceLine } from '../evidence/make-evidence.ts';
import { isAbsent } from '../files/json-lines.ts';
import { layout } from '../files/layout.ts';
import { collectStage } from './collect.ts';
import { type ExportOptions, exportPairsStage, exportRowsStage } from './export.ts';
import { scoreStage } from './score.ts';
import { filesHash, inputHash, runHash, runStage, type StageContext } from './stage.ts';
import { summaryMarkdown } from './summary-markdown.ts';

export interface RunResult {
  readonly summary: RunSummary;
  readonly receipts: readonly StageReceipt[];
  readonly drift: DriftReport;
  /** Relative to the data directory. */
  readonly folder: string;
}

/**
 * Runs every stage and writes a receipt for each, the summary and the drift against the run before, under
 * `reports/distillation/<run id>/`. A stage that failed its validation does not stop those behind it: their receipts
 * tell what became of the rest.
 * @throws RangeError where the run id is none, or is taken
 */
export async function runAll(
  lines: AsyncIterable<SourceLine> | Iterable<SourceLine>,
  options: ExportOptions,
  context: StageContext,
): Promise<RunResult> {
  const folder = await claimFolder(context);
  const prior = await latestRun(context.root, context.runId);
  const receipts: StageReceipt[] = [
    await runStage('collect', context, (given) => collectStage(lines, given)),
    await runStage('score', context, scoreStage),
    await runStage('export-rag', context, (given) => exportRowsStage('rag', options, given)),
    await runStage('export-sft', context, (given) => exportRowsStage('sft', options, given)),
    await runStage('export-preference', context, exportPairsStage),
  ];
  const summary = summarize(receipts, context);
  const drift = runDrift(prior, comparedRun(summary, receipts), context.recordedAt);
  for (const receipt of receipts) await writeWhole(context.root, `${folder}/${receipt.stage}.json`, receipt);
  await writeWhole(context.root, `${folder}/drift.json`, driftReportSchema.parse(drift));
  await writeText(join(context.root, folder, 'summary.md'), summaryMarkdown(summary, drift));
  // Last: a folder with a summary is a run that ended.
  await writeWhole(context.root, `${folder}/summary.json`, runSummarySchema.parse(summary));
  return { summary, receipts, drift, folder };
}

async function claimFolder({ root, runId }: StageContext): Promise<string> {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(runId))
    throw new RangeError(`"${runId}" is no run id: it may have letters, digits, dot, dash and underscore`);
  const folder = `${layout.runs}/${runId}`;
  await mkdir(join(root, layout.runs), { recursive: true });
  try {
    await mkdir(join(root, folder));
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    throw new RangeError(`the run id "${runId}" is taken: its receipts are in ${folder}`);
  }
  return folder;
}

function summarize(receipts: readonly StageReceipt[], { runId, recordedAt, gitCommit }: StageContext): RunSummary {
  const stages = receipts.map(({ stage, validation, outputs, stats }) => ({
    stage,
    passed: validation.passed,
    output_hash: filesHash(outputs),
    ...stats,
  }));
  const sum = (name: keyof StageReceipt['stats']) => stages.reduce((total, stage) => total + stage[name], 0);
  const exportedBy = (stage: (typeof stageNames)[number]) =>
    stages.find((one) => one.stage === stage)?.records_out ?? 0;
  return {
    schema_version: 1,
    run_id: runId,
    recorded_at: recordedAt,
    git_commit: gitCommit,
    stages,
    total_records_in: sum('records_in'),
    total_records_out: sum('records_out'),
    total_accepted: sum('accepted'),
    total_rejected: sum('rejected'),
    total_quarantined: sum('quarantined'),
    total_skipped: sum('skipped'),
    datasets: {
      rag: exportedBy('export-rag'),
      sft: exportedBy('export-sft'),
      preference: exportedBy('export-preference'),
    },
    overall_passed: stages.every(({ passed }) => passed),
    run_hash: runHash(stages),
  };
}

function comparedRun(summary: RunSummary, receipts: readonly StageReceipt[]): ComparedRun {
  return {
    summary,
    inputHashes: Object.fromEntries(receipts.map((receipt) => [receipt.stage, inputHash(receipt)])),
    errorClasses: receipts.flatMap(({ stage, error_classes }) => error_classes.map((name) => `${stage}:${name}`)),
  };
}

/** The run that ended last before this one, by its own `recorded_at`, then by the time of its summary. */
async function latestRun(root: string, exceptRunId: string): Promise<ComparedRun | undefined> {
  const found: { at: string; endedMs: number; run: ComparedRun }[] = [];
  for (const runId of await runIds(root)) {
    if (runId === exceptRunId) continue;
    const run = await readRun(root, runId);
    if (run === undefined) continue;
    const { mtimeMs } = await stat(join(root, layout.runs, runId, 'summary.json'));
    found.push({ at: run.summary.recorded_at, endedMs: mtimeMs, run: comparedRun(run.summary, run.receipts) });
  }
  found.sort((left, right) => left.endedMs - right.endedMs || (left.at < right.at ? -1 : 1));
  return found.at(-1)?.run;
}

/** The ids of the runs that there are, in order of their names. */
export async function runIds(root: string): Promise<string[]> {
  try {
    const entries = await readdir(join(root, layout.runs), { withFileTypes: true });
    return entries
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name)
      .sort();
  } catch (error) {
    if (isAbsent(error)) return [];
    throw error;
  }
}

/** A run's summary, receipts and drift; undefined where it did not end, or can not be read. */
export async function readRun(
  root: string,
  runId: string,
): Promise<{ summary: RunSummary; receipts: StageReceipt[]; drift: DriftReport } | undefined> {
  const read = async (name: string) => JSON.parse(await readFile(join(root, layout.runs, runId, name), 'utf8'));
  try {
    const summary = runSummarySchema.parse(await read('summary.json'));
    const receipts: StageReceipt[] = [];
    for (const stage of stageNames) receipts.push(stageReceiptSchema.parse(await read(`${stage}.json`)));
    return { summary, receipts, drift: driftReportSchema.parse(await read('drift.json')) };
  } catch {
    return undefined;
  }
}

async function writeWhole(root: string, path: string, value: unknown): Promise<void> {
  await writeText(join(root, path), `${JSON.stringify(value, null, 2)}\n`);
}

/** A reader finds a file whole or not at all. */
async function writeText(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text);
  await rename(`${path}.new`, path);
}
