import { z } from 'zod';
import { baselineDriftRowSchema } from '../distillation/audit.ts';
import { auditBaselineSchema, replayRunSchema } from '../events/lines.ts';

export const logPageLimits = { rowsMax: 1_000, rowsDefault: 50 } as const;

/** The newest rows of a log, or those before a sequence. */
export const logPageQuerySchema = z.strictObject({
  limit: z.coerce.number().int().min(1).max(logPageLimits.rowsMax).default(logPageLimits.rowsDefault),
  /** Only rows before this sequence: `next_before` of the page before. */
  before: z.coerce.number().int().min(1).optional(),
});
export type LogPageQuery = z.output<typeof logPageQuerySchema>;

/** Where the rest begins: null where there is nothing older. */
const nextBefore = z.number().int().nullable();

/** `GET /v1/audit/baselines`, newest first. A row that another program wrote, and that is no baseline, is null. */
export const auditBaselinesReplySchema = z.strictObject({
  baselines: z.array(z.strictObject({ sequence: z.number().int(), baseline: auditBaselineSchema.nullable() })),
  next_before: nextBefore,
});

/** `GET /v1/replay/runs`, newest first: tasks, searches, rebuilds; each row names its own `schema`. */
export const replayRunsQuerySchema = logPageQuerySchema.extend({
  /** Only rows of this schema, such as `search_replay.v1`. */
  schema: z.string().min(1).max(100).optional(),
});
export const replayRunsReplySchema = z.strictObject({
  runs: z.array(z.strictObject({ sequence: z.number().int(), run: replayRunSchema.nullable() })),
  next_before: nextBefore,
});

const baselineMarkSchema = z.strictObject({
  sequence: z.number().int(),
  recorded_at: z.string(),
  git_commit: z.string().nullable(),
});

const comparedSchema = z.strictObject({
  /** Null where there is no earlier one: every row is then `first_run`. */
  baseline: baselineMarkSchema.nullable(),
  warn: z.number().int(),
  first_run: z.number().int(),
  rows: z.array(baselineDriftRowSchema),
});

/** `GET /v1/audit/drift`: the newest baseline beside the one before, and beside the first. */
export const auditDriftReplySchema = z.strictObject({
  current: baselineMarkSchema,
  before: comparedSchema,
  first: comparedSchema,
});

/** `POST /v1/audit/run`: there is nothing to choose. */
export const auditRunRequestSchema = z.strictObject({});
