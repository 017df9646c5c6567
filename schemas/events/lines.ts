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

/** One run of `lakehouse reembed`: a corpus in another space, compared with the one that answered, and what came of it. */
export const reembedRunSchema = z.strictObject({
  schema: z.literal('reembed.v1'),
  recorded_at: z.string(),
  run_id: z.string(),
  corpus: z.string(),
  /** Null where no space answered for the corpus yet. */
  from_space: z.string().nullable(),
  space: z.string(),
  until: z.record(z.string(), z.number().int()),
  documents: z.number().int(),
  /** Living documents that are not in the new space: without a text, or refused by the model. */
  missing: z.number().int(),
  playbooks: z.number().int(),
  /** Of the ten nearest to logged queries by one space, the part that the other finds; null where none were logged. */
  overlap_at_10: z.number().nullable(),
  queries: z.number().int(),
  /** The same with documents as queries, themselves left out. */
  neighbours_at_10: z.number().nullable(),
  sampled: z.number().int(),
  dropped: z.array(z.string()),
  duration_ms: z.number().nonnegative(),
  outcome: z.enum(['switched', 'incomplete']),
});
export type ReembedRun = z.output<typeof reembedRunSchema>;

export const evidenceRowSchema = z.record(z.string(), z.unknown());
