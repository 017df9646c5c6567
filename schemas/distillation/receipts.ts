import { z } from 'zod';
import { sha256Schema } from '../primitives.ts';

/** The stages of a run, in their order. */
export const stageNames = ['collect', 'score', 'export-rag', 'export-sft', 'export-preference'] as const;
export type StageName = (typeof stageNames)[number];
/** Reserved for stages that do not run yet. */
export const reservedStageNames = ['extract-playbooks', 'index'] as const;

export const gitCommitSchema = z.string().regex(/^[0-9a-f]{40}$/, { message: 'must be 40 lower-case hex digits' });
const count = z.number().int().nonnegative();

/** A file as it was: `sha256` of its bytes, `records` its lines. */
export const fileReferenceSchema = z.strictObject({ path: z.string().min(1), sha256: sha256Schema, records: count });
export type FileReference = z.output<typeof fileReferenceSchema>;

export const stageStatsSchema = z.strictObject({
  records_in: count,
  records_out: count,
  accepted: count,
  rejected: count,
  quarantined: count,
  skipped: count,
});
export type StageStats = z.output<typeof stageStatsSchema>;

/** What one stage of a run took, made and found. `git_commit` is null where the program runs outside a checkout. */
export const stageReceiptSchema = z.strictObject({
  schema_version: z.literal(1),
  run_id: z.string().min(1),
  stage: z.enum(stageNames),
  git_commit: gitCommitSchema.nullable(),
  recorded_at: z.iso.datetime({ offset: true }),
  inputs: z.array(fileReferenceSchema),
  outputs: z.array(fileReferenceSchema),
  stats: stageStatsSchema,
  /** What was asked for beside the input: the same input and parameters give the same output. */
  parameters: z.record(z.string(), z.union([z.string(), z.boolean()])),
  /** The reasons for which rows were skipped or refused, each once. */
  error_classes: z.array(z.string()),
  validation: z.strictObject({ passed: z.boolean(), errors: z.array(z.string()), warnings: z.array(z.string()) }),
  duration_ms: z.number().nonnegative(),
});
export type StageReceipt = z.output<typeof stageReceiptSchema>;

/** A run as a whole. `run_hash` is of content alone: equal input at an equal `recorded_at` gives it again. */
export const runSummarySchema = z.strictObject({
  schema_version: z.literal(1),
  run_id: z.string().min(1),
  recorded_at: z.iso.datetime({ offset: true }),
  git_commit: gitCommitSchema.nullable(),
  stages: z.array(
    z.strictObject({
      stage: z.enum(stageNames),
      passed: z.boolean(),
      output_hash: sha256Schema,
      ...stageStatsSchema.shape,
    }),
  ),
  total_records_in: count,
  total_records_out: count,
  total_accepted: count,
  total_rejected: count,
  total_quarantined: count,
  total_skipped: count,
  datasets: z.strictObject({ rag: count, sft: count, preference: count }),
  overall_passed: z.boolean(),
  run_hash: sha256Schema,
});
export type RunSummary = z.output<typeof runSummarySchema>;

export const driftSeverities = ['ok', 'warn', 'alert'] as const;

export const stageDriftSchema = z.strictObject({
  stage: z.enum(stageNames),
  delta_records_in: z.number().int(),
  delta_records_out: z.number().int(),
  delta_accepted: z.number().int(),
  delta_quarantined: z.number().int(),
  /** Null where the run before had no records. */
  pct_change_out: z.number().nullable(),
  /** Null where it was not computed. */
  input_hash_match: z.boolean().nullable(),
  output_hash_match: z.boolean().nullable(),
  deterministic_violation: z.boolean(),
  notes: z.array(z.string()),
});

/** How a run differs from the one before it. `alert`: the same input gave another output. */
export const driftReportSchema = z.strictObject({
  schema_version: z.literal(2),
  run_id: z.string().min(1),
  prior_run_id: z.string().min(1).nullable(),
  generated_at: z.iso.datetime({ offset: true }),
  severity: z.enum(driftSeverities),
  stages: z.array(stageDriftSchema),
  flags: z.array(z.string()),
});
export type DriftReport = z.output<typeof driftReportSchema>;
