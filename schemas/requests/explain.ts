import { z } from 'zod';
import { corpusSchema, documentIdSchema } from '../primitives.ts';
import { spaceSchema } from '../space.ts';

/**
 * How candidates are found: by the meaning of the whole query (`vector`), by its words (`lexical`: BM25), or by both
 * (`hybrid`).
 */
export const retrievalSchema = z.enum(['vector', 'lexical', 'hybrid']);
export type RetrievalMode = z.output<typeof retrievalSchema>;

/** A playbook as an explanation tells it: how far its recorded query lies from the one asked, and its recorded score. */
const playbookShape = {
  playbook_id: z.string(),
  distance: z.number(),
  score: z.number(),
  role: z.string().optional(),
};

/** Why a result stands where it does: `distance = base_distance * factor`. */
export const resultExplanationSchema = z.strictObject({
  /** `injected`: retrieval did not bring it, a playbook did; its base distance is that of the playbook's query. */
  origin: z.enum(['retrieved', 'injected']),
  base_distance: z.number(),
  factor: z.number(),
  /** Those that passed every gate for this answer, the one that decided first. */
  playbooks: z.array(z.strictObject(playbookShape)),
  /** Lexical and hybrid: its places in the two searches over all corpora, from 1; null where one did not bring it. */
  vector_rank: z.number().int().nullable().optional(),
  lexical_rank: z.number().int().nullable().optional(),
  /** What its text scores of the most that a text could: 0 to 1. */
  lexical_score: z.number().optional(),
  /** The score before the factor. */
  base_score: z.number().optional(),
});
export type ResultExplanation = z.output<typeof resultExplanationSchema>;

/**
 * What kept a playbook from showing in the results.
 * - `distance`: its query is beyond `playbook_max_distance`
 * - `role`: recorded for another role
 * - `excluded`, `corpus`, `filter`: its answer is among `exclude_ids`, in a corpus that was not searched, refused by
 *   `metadata_filter`
 * - `deleted`: its answer is deleted or was never there
 * - `inject_distance`: its answer was not retrieved, and its query is beyond `playbook_max_inject_distance`
 * - `judge`: the judge refused its answer, or could not be asked
 * - `cut`: it acted, and its answer is not among the first `k` all the same
 */
export const suppressionGateSchema = z.enum([
  'distance',
  'role',
  'excluded',
  'corpus',
  'filter',
  'deleted',
  'inject_distance',
  'judge',
  'cut',
]);

/** What an answer tells of itself where `explain` is asked for. */
export const searchExplanationSchema = z.strictObject({
  retrieval: retrievalSchema,
  space: spaceSchema,
  /** Playbooks near the query, at most `playbook_top_k`: each is named by a result or is among the suppressed. */
  playbooks_considered: z.number().int(),
  playbooks_suppressed: z.array(
    z.strictObject({
      ...playbookShape,
      answer_id: documentIdSchema,
      answer_corpus: corpusSchema,
      gate: suppressionGateSchema,
    }),
  ),
});
export type SearchExplanation = z.output<typeof searchExplanationSchema>;
