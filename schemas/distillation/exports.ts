import { z } from 'zod';
import { filledText, provenanceSchema } from './provenance.ts';
import { scoreCategorySchema } from './scored-run.ts';

/** Categories that are never taught: the schema of a sample refuses them, and so does the exporter. */
export const sftNever = ['rejected', 'needs_human_review'] as const;

const exported = { schema_version: z.literal(1), id: z.string().min(1), created_at: z.iso.datetime({ offset: true }) };

/** A playbook for retrieval. `success_score` says how good it is; a row under review says so. */
export const ragSampleSchema = z.strictObject({
  ...exported,
  title: filledText,
  content: filledText,
  tags: z.array(z.string()),
  source_run_id: z.string().min(1),
  success_score: scoreCategorySchema.exclude(['rejected']),
  source_category: scoreCategorySchema.exclude(['rejected']),
  provenance: provenanceSchema,
});
export type RagSample = z.output<typeof ragSampleSchema>;

/** An instruction and the response that was good. `context` may be empty, and is always there. */
export const sftSampleSchema = z.strictObject({
  ...exported,
  instruction: filledText,
  context: z.string(),
  response: filledText,
  source_run_id: z.string().min(1),
  quality_score: scoreCategorySchema.exclude([...sftNever]),
  provenance: provenanceSchema,
});
export type SftSample = z.output<typeof sftSampleSchema>;

/** Two answers to one task, of two runs, one better than the other. */
export const preferenceSampleSchema = z
  .strictObject({
    ...exported,
    prompt: filledText,
    chosen: filledText,
    rejected: filledText,
    reason: filledText,
    chosen_run_id: z.string().min(1),
    rejected_run_id: z.string().min(1),
    provenance: provenanceSchema,
  })
  .superRefine((pair, context) => {
    const refuse = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
    if (pair.chosen === pair.rejected) refuse('rejected', 'is the same text as chosen');
    if (pair.chosen_run_id === pair.rejected_run_id) refuse('rejected_run_id', 'is the same run as chosen_run_id');
  });
export type PreferenceSample = z.output<typeof preferenceSampleSchema>;

export const exporters = ['rag', 'sft', 'preference'] as const;
export type Exporter = (typeof exporters)[number];

export const quarantineReasons = [
  'missing_provenance',
  'missing_source_run_id',
  'empty_content',
  'schema_violation',
  'unsafe_sft_category',
  'unsafe_rag_category',
  'invalid_preference_pairing',
  'hallucinated_file_path',
  'duplicate_id',
  'self_pairing',
  'category_disallowed',
] as const;
export type QuarantineReason = (typeof quarantineReasons)[number];

/** A row that an exporter refused. */
export const quarantineRowSchema = z.strictObject({
  exporter: z.enum(exporters),
  reason: z.enum(quarantineReasons),
  source_record: z.unknown(),
  errors: z.array(z.string()),
  recorded_at: z.iso.datetime({ offset: true }),
  source_provenance: provenanceSchema.omit({ recorded_at: true }).optional(),
});
export type QuarantineRow = z.output<typeof quarantineRowSchema>;
