import { z } from 'zod';

/** One check of audit-full: what it wants, what it found. Only required ones decide. */
export const phaseCheckSchema = z.strictObject({
  phase: z.number().int().min(0).max(7),
  /** Stable; the table of damages in the docs names it. */
  name: z.string().regex(/^[a-z0-9_]+$/),
  expected: z.string(),
  actual: z.string(),
  passed: z.boolean(),
  required: z.boolean(),
  notes: z.array(z.string()),
});
export type PhaseCheck = z.output<typeof phaseCheckSchema>;

export const driftFlags = ['ok', 'warn', 'first_run'] as const;

/** One metric beside its value in the baseline before. */
export const baselineDriftRowSchema = z.strictObject({
  metric: z.string(),
  baseline: z.number().int().nullable(),
  current: z.number().int(),
  /** (current - baseline) / baseline; null where the baseline is 0 or there is none. */
  change: z.number().nullable(),
  flag: z.enum(driftFlags),
});
export type BaselineDriftRow = z.output<typeof baselineDriftRowSchema>;

export const auditReportSchema = z.strictObject({
  schema_version: z.literal(1),
  generated_at: z.iso.datetime({ offset: true }),
  git_commit: z.string().nullable(),
  checks: z.array(phaseCheckSchema),
  skipped_phases: z.array(z.strictObject({ phase: z.number().int(), reason: z.string() })),
  required: z.strictObject({ passed: z.number().int(), total: z.number().int() }),
  passed: z.boolean(),
  metrics: z.record(z.string(), z.number().int()),
  drift: z.array(baselineDriftRowSchema),
});
export type AuditReport = z.output<typeof auditReportSchema>;
