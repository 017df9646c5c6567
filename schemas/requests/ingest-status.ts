import { z } from 'zod';
import { rejectionReasons } from '../events/rejected.ts';
import { corpusSchema, sequenceSchema } from '../primitives.ts';

/** `svc.index.ingested`: what an index worker can tell of what was said to a corpus. */
export const ingestedRequestSchema = z.strictObject({ corpus: corpusSchema });
export type IngestedRequest = z.output<typeof ingestedRequestSchema>;

const count = z.number().int().nonnegative();

const acceptedSchema = z.strictObject({
  /** Events, not documents: a batch is one. */
  events: count,
  /** The newest, as a sequence of INGEST; 0 where there is none. */
  last_seq: sequenceSchema,
  last_at: z.string().nullable(),
});

const rejectedSchema = z.strictObject({
  /** Of the last 20,000 rejections of all corpora, and of all that came since the index worker started. */
  count,
  newest: z.strictObject({ version: sequenceSchema, reason: z.enum(rejectionReasons), message: z.string() }).nullable(),
});

export const ingestedReplySchema = z.strictObject({
  accepted: acceptedSchema,
  rejected: rejectedSchema,
  /** Documents that can be found now. */
  documents: count,
});
export type IngestedReply = z.output<typeof ingestedReplySchema>;

/** `GET /v1/ingest/<corpus>/status`. */
export const ingestStatusReplySchema = z.strictObject({
  corpus: corpusSchema,
  accepted: acceptedSchema,
  rejected: rejectedSchema,
  documents: count,
  /** Every event of the corpus up to here has its vector, or was rejected. Null where that is not known yet. */
  embedded_seq: sequenceSchema.nullable(),
  /** Every event of the corpus up to here can be found, or was rejected. Null where that is not known yet. */
  searchable_seq: sequenceSchema.nullable(),
  /** Sequences of INGEST between the newest event of the corpus and `searchable_seq`; 0: all of it can be found. */
  lag: count.nullable(),
  /** Events of all corpora that wait for each worker. */
  pending: z.strictObject({ ingest: count, embed: count, index: count.nullable() }),
  /** Since the status of the corpus was asked before; null where it was not, or just now. */
  rate: z
    .strictObject({
      accepted_per_second: z.number(),
      searchable_per_second: z.number().nullable(),
      over_seconds: z.number(),
    })
    .nullable(),
});
export type IngestStatusReply = z.output<typeof ingestStatusReplySchema>;
