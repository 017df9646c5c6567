import { z } from 'zod';
import { observerVerdicts } from './evidence-record.ts';
import { provenanceSchema } from './provenance.ts';

export const scoreCategories = ['accepted', 'partially_accepted', 'rejected', 'needs_human_review'] as const;
export type ScoreCategory = (typeof scoreCategories)[number];
export const scoreCategorySchema = z.enum(scoreCategories);

/** What the scorer made of one evidence record, and why. */
export const scoredRunSchema = z.strictObject({
  schema_version: z.literal(1),
  evidence_run_id: z.string().min(1),
  evidence_task_id: z.string().min(1),
  category: scoreCategorySchema,
  reasons: z.array(z.string().min(1)).min(1),
  scored_at: z.iso.datetime({ offset: true }),
  scorer_version: z.string().regex(/^v\d+\.\d+\.\d+$/),
  sub_scores: z
    .looseObject({
      cargo_green: z.boolean().optional(),
      anchor_grounding: z.number().min(0).max(1).optional(),
      schema_valid: z.boolean().optional(),
      pathway_replay_succeeded: z.boolean().optional(),
      observer_verdict: z.enum(observerVerdicts).optional(),
    })
    .optional(),
  provenance: provenanceSchema,
});
export type ScoredRun = z.output<typeof scoredRunSchema>;
