import { z } from 'zod';
import { corpusSchema, documentIdSchema, sequenceSchema, sha256Schema } from '../primitives.ts';
import { spaceSchema } from '../space.ts';

/** Documents that one request may wait for. */
export const waitItemsMax = 10_000;

/** `svc.index.wait`: answered when every (corpus, id, version) can be found, or was rejected. */
export const waitRequestSchema = z.strictObject({
  items: z
    .array(z.strictObject({ corpus: corpusSchema, id: documentIdSchema, version: sequenceSchema }))
    .min(1)
    .max(waitItemsMax),
});
export type WaitRequest = z.output<typeof waitRequestSchema>;

export const waitReplySchema = z.strictObject({
  searchable: z.number().int(),
  rejected: z.array(
    z.strictObject({ id: documentIdSchema, version: sequenceSchema, reason: z.string(), message: z.string() }),
  ),
});
export type WaitReply = z.output<typeof waitReplySchema>;

/** `svc.index.info`: what one index worker holds. */
export const indexInfoSchema = z.strictObject({
  worker: z.string(),
  caught_up: z.boolean(),
  position: z.record(z.string(), sequenceSchema),
  indexes: z.array(
    z.strictObject({
      corpus: corpusSchema,
      space: spaceSchema,
      kind: z.enum(['documents', 'playbooks']),
      side: z.string().nullable(),
      serving: z.boolean(),
      live: z.number().int(),
      tombstones: z.number().int(),
      graph: z.boolean(),
      /**
       * Recall@10 of the graph as measured last against exact scans, with the smallest `ef` that meets the target (the
       * largest tried where none does), and at how many living documents; null where nothing was measured.
       */
      recall: z
        .strictObject({
          target: z.number(),
          ef: z.number().int(),
          measured: z.number(),
          queries: z.number().int(),
          live: z.number().int(),
        })
        .nullable()
        .default(null),
      /** Memory of what filters asked for, about. */
      filter_bytes: z.number().int().default(0),
      /** The rebuild run that this index came from; null where it grew from the log. */
      rebuilt_by: z.string().nullable(),
      /** What is gathered for searches by words, once somebody asked for one. */
      words: z
        .strictObject({ documents: z.number().int(), words: z.number().int(), bytes: z.number().int() })
        .optional(),
    }),
  ),
  snapshot: z.strictObject({ key: z.string(), created_at: z.string() }).nullable(),
  memory_rss_bytes: z.number().int(),
});
export type IndexInfo = z.output<typeof indexInfoSchema>;

/** `svc.index.digest`: the state digest of the live indexes at one position. */
export const digestRequestSchema = z.strictObject({ corpus: corpusSchema.optional() });
export type DigestRequest = z.output<typeof digestRequestSchema>;
export const indexDigestSchema = z.strictObject({
  corpus: corpusSchema,
  space: spaceSchema,
  kind: z.enum(['documents', 'playbooks']),
  digest: sha256Schema,
  live: z.number().int(),
  tombstones: z.number().int(),
});
export const digestReplySchema = z.strictObject({
  worker: z.string(),
  position: z.record(z.string(), sequenceSchema),
  indexes: z.array(indexDigestSchema),
});
export type DigestReply = z.output<typeof digestReplySchema>;
