import { z } from 'zod';
import { textSchema } from '../primitives.ts';
import { spaceSchema } from '../space.ts';

export const embedTextsMax = 2_048;

/** `POST /v1/embed`. `kind` says which prefix goes before the texts where the model wants one. */
export const embedRequestSchema = z.strictObject({
  texts: z.array(textSchema).min(1, { message: 'must hold at least one text' }).max(embedTextsMax),
  model: z.string().max(128).optional(),
  /** Between processes: the space that the vectors have to be of, where it is not the configured one. */
  space: spaceSchema.optional(),
  kind: z.enum(['document', 'query']).default('document'),
});
export type EmbedRequest = z.output<typeof embedRequestSchema>;
export const embedSlips = { text: 'texts', input: 'texts', inputs: 'texts', query: 'texts' } as const;

/** The answer of `/v1/embed`: unit vectors in the order of the texts. */
export const embedReplySchema = z.strictObject({
  model: z.string(),
  dimension: z.number().int(),
  vectors: z.array(z.array(z.number())),
});

/** The answer between processes: vectors as base64 of little-endian float32, with the whole space. */
export const embedInternalReplySchema = z.strictObject({
  space: spaceSchema,
  vectors: z.array(z.string()),
  truncated: z.array(z.boolean()),
});
export type EmbedInternalReply = z.output<typeof embedInternalReplySchema>;

export const embedStatsReplySchema = z.strictObject({
  embedder: z.string(),
  model: z.string(),
  dimension: z.number().int(),
  space: spaceSchema,
  hits: z.number().int(),
  misses: z.number().int(),
  hit_rate: z.number(),
  size: z.number().int(),
  /** The spaces that are offered beside this one. */
  beside: z.array(spaceSchema),
});
export type EmbedStatsReply = z.output<typeof embedStatsReplySchema>;
