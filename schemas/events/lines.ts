import { z } from 'zod';
import { sha256Schema } from '../primitives.ts';

/**
 * The rows of the append-only logs whose projections are files: the payload is one line, byte for byte, without an
 * envelope. Readers keep keys that they do not know.
 */
export const auditBaselineSchema = z.looseObject({
  recorded_at: z.iso.datetime({ offset: true }),
  git_commit: z.string().optional(),
  metrics: z.record(z.string(), z.number().int()),
});
export type AuditBaseline = z.output<typeof auditBaselineSchema>;

/** A row of REPLAY_RUNS names its own schema; rows of other runtimes and later schemas lie in the same log. */
export const replayRunSchema = z.looseObject({ schema: z.string(), recorded_at: z.string() });
export type ReplayRun = z.output<typeof replayRunSchema>;

const counts = z.strictObject({ live: z.number().int(), tombstones: z.number().int() });

/** One run of `lakehouse rebuild`: what was folded, how far, and whether it equals what it is to replace. */
export const indexRebuildRunSchema = z.strictObject({
  schema: z.literal('index_rebuild.v1'),
  recorded_at: z.string(),
  run_id: z.string(),
  corpus: z.string(),
  space: z.string(),
  kind: z.enum(['documents', 'playbooks']),
  side: z.string().nullable(),
  until: z.record(z.string(), z.number().int()),
  documents: counts,
  digest: sha256Schema,
  compared_digest: sha256Schema.nullable(),
  equal: z.boolean().nullable(),
  recall_at_10: z.number().nullable(),
  recall_queries: z.number().int(),
  switched: z.boolean(),
  duration_ms: z.number().nonnegative(),
  events_per_second: z.number().nonnegative(),
  outcome: z.enum(['switched', 'built', 'differs', 'failed']),
  error: z.string().nullable(),
});
export type IndexRebuildRun = z.output<typeof indexRebuildRunSchema>;

export const evidenceRowSchema = z.record(z.string(), z.unknown());
