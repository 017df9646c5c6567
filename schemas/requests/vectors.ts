import { z } from 'zod';
import { corpusDeclarationSchema } from '../events/corpus.ts';
import { corpusSchema, documentIdSchema, limits, metadataSchema, sequenceSchema } from '../primitives.ts';
import { dimensionMax, spaceSchema } from '../space.ts';
import { wireVectorSchema } from '../vector.ts';
import { searchDefaults, searchLimits } from './matrix.ts';

const dimensionSchema = z.number().int().min(1).max(dimensionMax);

/**
 * `POST /v1/vectors/index`. Without a space the index is in `vectors@<dimension>`, which all that name none share, so that
 * they can be merged; with one it can be searched together with others of that space.
 */
export const vectorsCreateSchema = z.strictObject({
  name: corpusSchema,
  dimension: dimensionSchema,
  space: spaceSchema.optional(),
  distance: corpusDeclarationSchema.shape.distance,
  m: corpusDeclarationSchema.shape.m,
  ef_search: corpusDeclarationSchema.shape.ef_search,
});
export const vectorsCreateSlips = { dim: 'dimension', metric: 'distance', M: 'm', ef: 'ef_search' } as const;

/** One index of vectors: a corpus, whether it was declared or came into being with its first document. */
export const vectorsInfoSchema = z.strictObject({
  name: corpusSchema,
  dimension: dimensionSchema,
  space: spaceSchema,
  distance: z.enum(['cosine', 'euclidean']),
  m: z.number().int(),
  ef_search: z.number().int(),
  count: z.number().int(),
  declared: z.boolean(),
});
export type VectorsInfo = z.output<typeof vectorsInfoSchema>;

export const vectorsNameSchema = z.strictObject({ name: corpusSchema });
export const vectorsListSchema = z.strictObject({
  indexes: z.array(vectorsInfoSchema),
  next_cursor: z.string().nullable(),
});
export const vectorsDeletedSchema = z.strictObject({ name: corpusSchema, deleted: z.literal(true) });

/** Metadata that is left out or null leaves what is there; `{}` clears it. */
export const vectorItemSchema = z.strictObject({
  id: documentIdSchema,
  vector: wireVectorSchema,
  metadata: metadataSchema.nullish(),
});

/** `POST /v1/vectors/index/<name>/add`: all of it or nothing. Of several items with one id the last counts. */
export const vectorsAddSchema = z.strictObject({ items: z.array(vectorItemSchema).min(1).max(limits.batchItemsMax) });
/** `added`: ids, each once. `version`: the INGEST sequence that said it. */
export const vectorsAddedSchema = z.strictObject({ added: z.number().int(), version: sequenceSchema });

/** `POST /v1/vectors/index/<name>/search`. */
export const vectorsSearchSchema = z.strictObject({
  vector: wireVectorSchema,
  k: z.number().int().min(1).max(searchLimits.kMax).default(searchDefaults.k),
});
export const vectorsSearchSlips = { query_vector: 'vector', query: 'vector', top_k: 'k' } as const;
export const vectorsFoundSchema = z.strictObject({
  results: z.array(
    z.strictObject({
      id: documentIdSchema,
      distance: z.number(),
      metadata: z.record(z.string(), z.unknown()).optional(),
    }),
  ),
});

/** `POST /v1/vectors/index/<source>/merge`. */
export const vectorsMergeSchema = z.strictObject({ dest: corpusSchema, clear_source: z.boolean().default(false) });
/**
 * `merged`: documents that are in the destination because of this. `skipped`: those that were there, or that somebody said
 * something of meanwhile. `cleared`: those that are gone from the source.
 */
export const vectorsMergedSchema = z.strictObject({
  merged: z.number().int(),
  skipped: z.number().int(),
  cleared: z.number().int(),
});
export type VectorsMerged = z.output<typeof vectorsMergedSchema>;
