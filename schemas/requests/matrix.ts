import { z } from 'zod';
import { sideNameSchema } from '../events/index-switch.ts';
import { defaultPlaybookCorpus } from '../events/playbook.ts';
import { corpusSchema, documentIdSchema, textSchema } from '../primitives.ts';
import { dimensionMax } from '../space.ts';
import { resultExplanationSchema, retrievalSchema, searchExplanationSchema } from './explain.ts';
import { metadataFilterSchema } from './metadata-filter.ts';

export const searchLimits = { kMax: 1000, perCorpusKMax: 5000, corporaMax: 32, excludeIdsMax: 10_000 } as const;
export const searchDefaults = {
  k: 10,
  playbookTopK: 3,
  playbookMaxDistance: 0.5,
  playbookMaxInjectDistance: 0.2,
  judgeMinRating: 3,
} as const;

const distance = z.number().min(0).max(4);

/** `POST /v1/matrix/search`. One of `query_text` and `query_vector` is needed; the vector wins where both are given. */
export const searchRequestSchema = z
  .strictObject({
    query_text: textSchema.optional(),
    query_vector: z.array(z.number()).min(1).max(dimensionMax).optional(),
    corpora: z
      .array(corpusSchema, { error: 'is needed: the names of the corpora to search, such as ["workers"]' })
      .min(1, { message: 'must name at least one corpus' })
      .max(searchLimits.corporaMax)
      .refine((corpora) => new Set(corpora).size === corpora.length, { message: 'names a corpus twice' }),
    k: z.number().int().min(1).max(searchLimits.kMax).default(searchDefaults.k),
    per_corpus_k: z.number().int().min(1).max(searchLimits.perCorpusKMax).optional(),
    model: z.string().min(1).max(128).optional(),
    use_playbook: z.boolean().default(false),
    playbook_corpus: corpusSchema.default(defaultPlaybookCorpus),
    playbook_top_k: z.number().int().min(1).max(100).default(searchDefaults.playbookTopK),
    playbook_max_distance: distance.default(searchDefaults.playbookMaxDistance),
    playbook_max_inject_distance: distance.default(searchDefaults.playbookMaxInjectDistance),
    metadata_filter: metadataFilterSchema.optional(),
    exclude_ids: z.array(documentIdSchema).max(searchLimits.excludeIdsMax).optional(),
    query_role: z.string().max(200).default(''),
    judge_url: z.url().optional(),
    judge_model: z.string().min(1).max(128).optional(),
    judge_min_rating: z.number().int().max(5).optional(),
    index: sideNameSchema.optional(),
    /** How candidates are found; `LAKEHOUSE_RETRIEVAL` where it is left out. */
    retrieval: retrievalSchema.optional(),
    /** Every result tells why it stands where it does, and the answer which playbooks were suppressed. */
    explain: z.boolean().default(false),
  })
  .refine(({ retrieval, query_text }) => (retrieval ?? 'vector') === 'vector' || query_text !== undefined, {
    message: 'is needed to search by words: a vector has none',
    path: ['query_text'],
  })
  .refine((request) => request.query_text !== undefined || request.query_vector !== undefined, {
    message: 'one of query_text and query_vector is needed',
    path: ['query_text'],
  });
export type SearchRequest = z.output<typeof searchRequestSchema>;

/** Field names that callers are known to write by mistake. */
export const searchSlips = {
  query: 'query_text',
  text: 'query_text',
  q: 'query_text',
  vector: 'query_vector',
  corpus: 'corpora',
  top_k: 'k',
  filter: 'metadata_filter',
  role: 'query_role',
} as const;

/**
 * The answer, nearest first. `distance` is after boosts; `boosted` and `injected` repeat the longer names.
 *
 * Where words counted, `retrieval` says so and results come by descending `score`: 1 is the best there can be, and a
 * playbook brings the rest to 1 nearer by its factor. In `hybrid` the distance is that of the vectors, as ever; in `lexical`
 * it is 1 - score before boosts.
 */
export const searchReplySchema = z.strictObject({
  results: z.array(
    z.strictObject({
      id: documentIdSchema,
      distance: z.number(),
      corpus: corpusSchema,
      metadata: z.record(z.string(), z.unknown()).optional(),
      /** Only the beginning of its text was embedded; left out where all of it was. */
      truncated: z.literal(true).optional(),
      score: z.number().optional(),
      explain: resultExplanationSchema.optional(),
    }),
  ),
  per_corpus_counts: z.record(corpusSchema, z.number().int()),
  playbook_boosted: z.number().int(),
  playbook_injected: z.number().int(),
  boosted: z.number().int(),
  injected: z.number().int(),
  metadata_filter_dropped: z.number().int(),
  /** Only the beginning of the query was embedded; left out where all of it was. */
  query_truncated: z.literal(true).optional(),
  /** Left out where candidates were found by vector. */
  retrieval: z.enum(['lexical', 'hybrid']).optional(),
  explain: searchExplanationSchema.optional(),
});
export type SearchReply = z.output<typeof searchReplySchema>;
