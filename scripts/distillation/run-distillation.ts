import type { StageName } from '../../schemas/distillation/receipts.ts';
import { stageNames } from '../../schemas/distillation/receipts.ts';
import { readEvidence } from '../../workers/distillation/evidence/read-evidence.ts';
import {
  type RunResult,
  runAll,
  runStages,
  type StageInputs,
  type StagesResult,
  unendedRun,
} from '../../workers/distillation/run/run.ts';
import { summaryMarkdown } from '../../workers/distillation/run/summary-markdown.ts';
import { usageError } from '../command/errors.ts';
import { openLog } from '../command/log-access.ts';
import type { Output } from '../command/output.ts';
import { textTable } from '../command/table.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { lockDistillation } from './directory-lock.ts';
import { gatheredText, gatherLife } from './own-life.ts';
import { type RunFlags, runContext } from './run-context.ts';

/** What distils: everything, or the stages that an action stands for. */
const stagesOf = {
  'run-all': stageNames,
  'build-evidence': ['collect'],
  score: ['score'],
  'export-rag': ['export-rag'],
  'export-sft': ['export-sft'],
  'export-preference': ['export-preference'],
  export: ['export-rag', 'export-sft', 'export-preference'],
  // As the original system named it.
  'export-all': ['export-rag', 'export-sft', 'export-preference'],
} as const satisfies Record<string, readonly StageName[]>;
export type RunAction = keyof typeof stagesOf;
export const runActions = Object.keys(stagesOf) as readonly RunAction[];

export interface DistillationFlags extends RunFlags {
  readonly root: string;
  readonly 'data-dir'?: string | undefined;
  readonly 'include-review'?: boolean | undefined;
  readonly 'include-partial'?: boolean | undefined;
}

/** Runs stages under the lock of the data directory. Only what collects speaks to the log. */
export async function runDistillation(action: RunAction, flags: DistillationFlags, output: Output): Promise<ExitCode> {
  const stages: readonly StageName[] = stagesOf[action];
  const { root } = flags;
  const log = stages.includes('collect') ? await openLog(flags['data-dir']) : undefined;
  let release: (() => void) | undefined;
  try {
    release = lockDistillation(root);
    const runId = flags['run-id'] ?? (action === 'run-all' ? undefined : await unendedRun(root, stages));
    const context = runContext({ ...flags, 'run-id': runId }, root, output);
    if (log !== undefined) output.note(`of this system's own life: ${gatheredText(await gatherLife(log.connection))}`);
    const read = log === undefined ? undefined : readEvidence(log.connection);
    const inputs: StageInputs = {
      lines: read?.lines ?? [],
      options: {
        includeReview: flags['include-review'] === true,
        includePartial: flags['include-partial'] === true,
      },
    };
    const ended = action === 'run-all' ? await runAll(inputs.lines, inputs.options, context) : undefined;
    const result = ended ?? (await runStages(stages, inputs, context));
    context.finish();
    for (const [stem, rows] of read?.unknown ?? [])
      output.note(`${rows} rows of "${stem}" were left: no transform knows it`);
    return 'missing' in result ? answerStages(result, context.runId, output) : answerRun(result, output);
  } catch (error) {
    if (error instanceof RangeError) throw usageError(error.message, 'Give another --run-id, or none.');
    throw error;
  } finally {
    release?.();
    await log?.connection.drain();
  }
}

function answerRun(result: RunResult, output: Output): ExitCode {
  const { summary, drift, folder } = result;
  output.answer(result, `${summaryMarkdown(summary, drift)}\nReceipts: ${folder}`);
  return drift.severity === 'alert' ? exitCodes.differs : exitCodes.done;
}

function answerStages(result: StagesResult, runId: string, output: Output): ExitCode {
  const { receipts, folder, missing, ended } = result;
  const table = textTable(
    [
      { title: 'stage' },
      { title: 'in', right: true },
      { title: 'out', right: true },
      { title: 'quarantined', right: true },
      { title: 'skipped', right: true },
      { title: 'passed' },
    ],
    receipts.map(({ stage, stats, validation }) => [
      stage,
      String(stats.records_in),
      String(stats.records_out),
      String(stats.quarantined),
      String(stats.skipped),
      validation.passed ? 'yes' : 'NO',
    ]),
  );
  const rest =
    ended === undefined
      ? `The run "${runId}" has not ended: it lacks ${missing.join(', ')}.`
      : `The run "${runId}" has ended: hash ${ended.summary.run_hash}, drift ${ended.drift.severity}.`;
  output.answer({ run_id: runId, ...result }, `${table}\n${rest}\nReceipts: ${folder}`);
  return ended?.drift.severity === 'alert' ? exitCodes.differs : exitCodes.done;
}
