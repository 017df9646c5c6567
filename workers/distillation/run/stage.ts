import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { FileReference, StageName, StageReceipt, StageStats } from '../../../schemas/distillation/receipts.ts';
import { canonicalJson } from '../canonical-json.ts';
import { describeFile } from '../files/json-lines.ts';

/** What every stage is given. */
export interface StageContext {
  /** The data directory. */
  readonly root: string;
  readonly runId: string;
  /** ISO 8601; all that a run writes carries it, and no clock is asked. */
  readonly recordedAt: string;
  readonly gitCommit: string | null;
  readonly monotonicMs: () => number;
  /** Called now and then with the rows that the stage has read. */
  readonly progress: (stage: StageName, rows: number) => void;
}

/** What a stage found, before its receipt is made of it. */
export interface StageOutcome {
  /** Files by path, or what is no file described already. */
  readonly inputs: readonly (string | FileReference)[];
  readonly outputs: readonly string[];
  readonly stats: StageStats;
  /** What was asked for beside the input. */
  readonly parameters: StageReceipt['parameters'];
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
  /** The reasons for which rows were skipped or refused. */
  readonly errorClasses: readonly string[];
}

/** Rows between two calls of `progress`. */
export const progressEveryRows = 1_000;

export function emptyStats(): StageStats {
  return { records_in: 0, records_out: 0, accepted: 0, rejected: 0, quarantined: 0, skipped: 0 };
}

/** Runs a stage and describes what it took and made by the bytes that lie there now. */
export async function runStage(
  stage: StageName,
  context: StageContext,
  work: (context: StageContext) => Promise<StageOutcome>,
): Promise<StageReceipt> {
  const begunMs = context.monotonicMs();
  const outcome = await work(context);
  const [inputs, outputs] = [
    await describeAll(context.root, outcome.inputs),
    await describeAll(context.root, outcome.outputs),
  ];
  return {
    schema_version: 1,
    run_id: context.runId,
    stage,
    git_commit: context.gitCommit,
    recorded_at: context.recordedAt,
    inputs,
    outputs,
    stats: outcome.stats,
    parameters: outcome.parameters,
    error_classes: [...outcome.errorClasses].sort(),
    validation: { passed: outcome.errors.length === 0, errors: [...outcome.errors], warnings: [...outcome.warnings] },
    duration_ms: context.monotonicMs() - begunMs,
  };
}

async function describeAll(root: string, files: readonly (string | FileReference)[]): Promise<FileReference[]> {
  const described = files.filter((file) => typeof file !== 'string');
  const paths = files.filter((file) => typeof file === 'string');
  for (const path of [...new Set(paths)].sort()) described.push({ path, ...(await describeFile(join(root, path))) });
  return described;
}

/** What a stage was given: its input's bytes and its parameters. */
export function inputHash({ inputs, parameters }: Pick<StageReceipt, 'inputs' | 'parameters'>): string {
  return createHash('sha256')
    .update(`${filesHash(inputs)}\n${canonicalJson(parameters)}`, 'utf8')
    .digest('hex');
}

/** SHA-256 over `path NUL sha256 LF` of each file, in order of their paths: content alone, whoever wrote it and when. */
export function filesHash(files: readonly FileReference[]): string {
  const hash = createHash('sha256');
  for (const { path, sha256 } of files) hash.update(`${path}\0${sha256}\n`, 'utf8');
  return hash.digest('hex');
}

/** SHA-256 over `stage NUL output hash LF` of each stage, in order: no id, no duration and no clock has a part in it. */
export function runHash(stages: readonly { readonly stage: StageName; readonly output_hash: string }[]): string {
  const hash = createHash('sha256');
  for (const { stage, output_hash } of stages) hash.update(`${stage}\0${output_hash}\n`, 'utf8');
  return hash.digest('hex');
}
