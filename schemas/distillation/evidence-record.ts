import { z } from 'zod';
import { provenanceSchema } from './provenance.ts';

export const evidenceSchemaVersion = 1;

export const modelRoles = [
  'executor',
  'reviewer',
  'extractor',
  'verifier',
  'categorizer',
  'tiebreaker',
  'applier',
  'embedder',
  'other',
] as const;
export type ModelRole = (typeof modelRoles)[number];

export const observerVerdicts = ['accept', 'reject', 'cycle'] as const;

/**
 * One thing that happened, in one shape whatever source told it. `run_id` is one call's; where a source knows a stream's
 * id only, it is `<id>:<row index>`. Keys that a source has beside these go into `metadata`.
 */
export const evidenceRecordSchema = z.strictObject({
  schema_version: z.literal(evidenceSchemaVersion),
  run_id: z.string().min(1),
  task_id: z.string().min(1),
  timestamp: z.iso.datetime({ offset: true }),
  provenance: provenanceSchema,
  model_name: z.string().optional(),
  model_provider: z.string().optional(),
  model_role: z.enum(modelRoles).optional(),
  text: z.string().optional(),
  success_markers: z.array(z.string()).optional(),
  failure_markers: z.array(z.string()).optional(),
  observer_verdict: z.enum(observerVerdicts).optional(),
  observer_notes: z.array(z.string()).optional(),
  observer_confidence: z.number().min(0).max(1).optional(),
  validation_results: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
  source_files: z.array(z.string()).optional(),
  latency_ms: z.number().nonnegative().optional(),
  prompt_tokens: z.number().int().nonnegative().optional(),
  completion_tokens: z.number().int().nonnegative().optional(),
  metadata: z.record(z.string(), z.unknown()).optional(),
});
export type EvidenceRecord = z.output<typeof evidenceRecordSchema>;

export const skipReasons = ['invalid_json', 'not_an_object', 'transform_refused', 'schema_violation'] as const;

/** A source row that became no evidence: which, and why. */
export const evidenceSkipSchema = z.strictObject({
  schema_version: z.literal(1),
  reason: z.enum(skipReasons),
  errors: z.array(z.string()).min(1),
  provenance: provenanceSchema,
});
export type EvidenceSkip = z.output<typeof evidenceSkipSchema>;
