import { z } from 'zod';
import { sha256Schema } from '../primitives.ts';

export const retrievedArtifactSchema = z.strictObject({
  rag_id: z.string(),
  source_run_id: z.string(),
  title: z.string(),
  /** The first 240 characters. */
  content_preview: z.string().max(240),
  success_score: z.string(),
  tags: z.array(z.string()),
  score: z.number(),
});
export type RetrievedArtifact = z.output<typeof retrievedArtifactSchema>;

/** One run of `lakehouse replay`, failed ones too: a row of REPLAY_RUNS. */
export const taskReplayRunSchema = z.strictObject({
  schema: z.literal('replay_run.v1'),
  recorded_at: z.iso.datetime({ offset: true }),
  /** Derives from `recorded_at`, never from a clock. */
  recorded_run_id: z.string().min(1),
  task_hash: sha256Schema,
  input_task: z.string(),
  retriever: z.enum(['jaccard', 'matrix', 'none']),
  retrieved_artifacts: z.array(retrievedArtifactSchema),
  context_bundle: z
    .strictObject({
      exemplars: z.array(z.string()),
      failure_patterns: z.array(z.string()),
      validation_steps: z.array(z.string()),
    })
    .nullable(),
  model_used: z.string(),
  model_response: z.string(),
  validation_result: z.strictObject({ passed: z.boolean(), reasons: z.array(z.string()) }),
  /** The models tried, in order; the first is the local one. */
  escalation_path: z.array(z.string()),
  dry_run: z.boolean(),
  duration_ms: z.number().nonnegative(),
});
export type TaskReplayRun = z.output<typeof taskReplayRunSchema>;
