import { z } from 'zod';
import { corpusSchema, documentIdSchema } from '../primitives.ts';

/** One of the two sides that logged searches are asked of: a state of the system, and a way to rank. */
export const replaySideSchema = z.strictObject({
  /** As it was asked for: `now`, a sequence of INGEST, a position or a time. */
  as_of: z.string(),
  /** What that came to: the last sequences of INGEST and PLAYBOOKS that count. */
  position: z.strictObject({ INGEST: z.number().int(), PLAYBOOKS: z.number().int() }),
  policy: z.string(),
});
export type ReplaySide = z.output<typeof replaySideSchema>;

export const leftOutReasons = ['older', 'unreadable', 'judged'] as const;
export type LeftOutReason = (typeof leftOutReasons)[number];

/** One run of `lakehouse replay searches`, failed ones too: a row of REPLAY_RUNS. */
export const searchReplayRunSchema = z.strictObject({
  schema: z.literal('search_replay.v1'),
  recorded_at: z.iso.datetime({ offset: true }),
  run_id: z.string().min(1),
  /** Null where the run failed before it knew them. */
  before: replaySideSchema.nullable(),
  against: replaySideSchema.nullable(),
  /** Logged searches that were asked again. */
  asked: z.number().int(),
  changed: z.number().int(),
  /** Searches that could be answered on one side or on none. */
  unanswered: z.number().int(),
  /** `older`: beyond the limit; `unreadable`: no request; `judged`: a model had a say in the answer. */
  left_out: z.record(z.enum(leftOutReasons), z.number().int()),
  duration_ms: z.number().nonnegative(),
  outcome: z.enum(['done', 'failed']),
  error: z.string().nullable(),
});
export type SearchReplayRun = z.output<typeof searchReplayRunSchema>;

/** A result that is not where it was: rank from 1, null where the side does not have it. */
export const resultChangeSchema = z.strictObject({
  id: documentIdSchema,
  corpus: corpusSchema,
  rank: z.tuple([z.number().int().nullable(), z.number().int().nullable()]),
  distance: z.tuple([z.number().nullable(), z.number().nullable()]),
});
export type ResultChange = z.output<typeof resultChangeSchema>;

const answeredSchema = z.strictObject({
  /** A problem's code where there was no answer. */
  problem: z.string().nullable(),
  results: z.number().int(),
  boosted: z.number().int(),
  injected: z.number().int(),
});

/** A logged search whose two answers differ. */
export const changedSearchSchema = z.strictObject({
  /** Where it stands in SEARCHES: the sequence, and its place among the searches of that event. */
  logged: z.strictObject({ sequence: z.number().int(), index: z.number().int() }),
  searched_at: z.string(),
  query_text: z.string().nullable(),
  corpora: z.array(corpusSchema),
  k: z.number().int(),
  before: answeredSchema,
  against: answeredSchema,
  /** The results that changed, in the order of their better rank. */
  results: z.array(resultChangeSchema),
  /** Changed results that are not told, as there are too many. */
  results_left: z.number().int(),
});
export type ChangedSearch = z.output<typeof changedSearchSchema>;

/** What `lakehouse replay searches` writes as JSON. */
export const searchReplayReportSchema = z.strictObject({
  run: searchReplayRunSchema,
  changes: z.array(changedSearchSchema),
});
export type SearchReplayReport = z.output<typeof searchReplayReportSchema>;
