import { mkdir, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type DriftReport,
  driftReportSchema,
  type RunSummary,
  runSummarySchema,
  type StageName,
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
import { filesHash, inputHash, runHash, runStage, type StageContext, type StageOutcome } from './stage.ts';
import { summaryMarkdown } from './summary-markdown.ts';

export interface RunResult {
  readonly summary: RunSummary;
  readonly receipts: readonly StageReceipt[];
  readonly drift: DriftReport;
  /** Relative to the data directory. */
  readonly folder: string;
}

/** What stages are given beside their context. */
export interface StageInputs {
  /** Asked for by `collect` alone. */
  readonly lines: AsyncIterable<SourceLine> | Iterable<SourceLine>;
  readonly options: ExportOptions;
}

const works: Readonly<Record<StageName, (inputs: StageInputs, context: StageContext) => Promise<StageOutcome>>> = {
  collect: ({ lines }, context) => collectStage(lines, context),
  score: (_, context) => scoreStage(context),
  'export-rag': ({ options }, context) => exportRowsStage('rag', options, context),
  'export-sft': ({ options }, context) => exportRowsStage('sft', options, context),
  'export-preference': (_, context) => exportPairsStage(context),
};

/**
 * Runs every stage and writes a receipt for each, the summary and the drift against the run before, under
 * `reports/distillation/<run id>/`. A stage that failed its validation does not stop those behind it: their receipts
 * tell what became of the rest.
 * @throws RangeError where the run id is none, or is taken
 */
export async function runAll(
  lines: StageInputs['lines'],
  options: ExportOptions,
  context: StageContext,
): Promise<RunResult> {
  const folder = await claimFolder(context);
  const receipts: StageReceipt[] = [];
  for (const stage of stageNames) receipts.push(await runOne(stage, { lines, options }, folder, context));
  return conclude(receipts, folder, context);
}

export interface StagesResult {
  /** Of the stages that were run now. */
  readonly receipts: readonly StageReceipt[];
  /** Relative to the data directory. */
  readonly folder: string;
  /** Stages that the run has no receipt of yet. */
  readonly missing: readonly StageName[];
  /** The run as a whole, where it has every stage now. */
  readonly ended: RunResult | undefined;
}

/**
 * Runs some stages of a run that is begun or goes on. The one that completes it writes its summary and drift too.
 * @throws RangeError where the run id is none, or the run has one of the stages already
 */
export async function runStages(
  stages: readonly StageName[],
  inputs: StageInputs,
  context: StageContext,
): Promise<StagesResult> {
  const { root, runId } = context;
  const folder = folderOf(runId);
  const before = await receiptsOf(root, runId);
  const again = stages.find((stage) => before.has(stage));
  if (again !== undefined) throw new RangeError(`the run "${runId}" has its ${again} already: see ${folder}`);
  await mkdir(join(root, folder), { recursive: true });
  const receipts: StageReceipt[] = [];
  for (const stage of stages) receipts.push(await runOne(stage, inputs, folder, context));
  const all = new Map([...before, ...receipts.map((receipt) => [receipt.stage, receipt] as const)]);
  const missing = stageNames.filter((stage) => !all.has(stage));
  const inOrder = stageNames.flatMap((stage) => all.get(stage) ?? []);
  const ended = missing.length === 0 ? await conclude(inOrder, folder, context) : undefined;
  return { receipts, folder, missing, ended };
}

/** The run that was begun last, has not ended and has none of these stages; undefined where there is none. */
export async function unendedRun(root: string, stages: readonly StageName[]): Promise<string | undefined> {
  let newest: { runId: string; beganMs: number } | undefined;
  for (const runId of await runIds(root)) {
    const { mtimeMs: beganMs } = await stat(join(root, layout.runs, runId));
    if (newest !== undefined && beganMs <= newest.beganMs) continue;
    // A receipt that can not be read belongs to no run that could go on.
    const receipts = await receiptsOf(root, runId).catch(() => new Map<StageName, StageReceipt>());
    const open = receipts.size > 0 && receipts.size < stageNames.length && !stages.some((stage) => receipts.has(stage));
    if (open) newest = { runId, beganMs };
  }
  return newest?.runId;
}

async function receiptsOf(root: string, runId: string): Promise<Map<StageName, StageReceipt>> {
  const found = new Map<StageName, StageReceipt>();
  for (const stage of stageNames) {
    try {
      const text = await readFile(join(root, folderOf(runId), `${stage}.json`), 'utf8');
      found.set(stage, stageReceiptSchema.parse(JSON.parse(text)));
    } catch (error) {
      if (!isAbsent(error)) throw error;
    }
  }
  return found;
}

async function runOne(
  stage: StageName,
  inputs: StageInputs,
  folder: string,
  context: StageContext,
): Promise<StageReceipt> {
  const receipt = await runStage(stage, context, (given) => works[stage](inputs, given));
  await writeWhole(context.root, `${folder}/${stage}.json`, receipt);
  return receipt;
}

async function conclude(receipts: readonly StageReceipt[], folder: string, context: StageContext): Promise<RunResult> {
  const summary = summarize(receipts, context);
  const prior = await latestRun(context.root, context.runId);
  const drift = runDrift(prior, comparedRun(summary, receipts), context.recordedAt);
  await writeWhole(context.root, `${folder}/drift.json`, driftReportSchema.parse(drift));
  await writeText(join(context.root, folder, 'summary.md'), summaryMarkdown(summary, drift));
  // Last: a folder with a summary is a run that ended.
  await writeWhole(context.root, `${folder}/summary.json`, runSummarySchema.parse(summary));
  return { summary, receipts, drift, folder };
}

function folderOf(runId: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(runId))
    throw new RangeError(`"${runId}" is no run id: it may have letters, digits, dot, dash and underscore`);
  return `${layout.runs}/${runId}`;
}

async function claimFolder({ root, runId }: StageContext): Promise<string> {
  const folder = folderOf(runId);
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
