import { z } from 'zod';
import { corpusSchema, documentIdSchema, sequenceSchema, textSchema } from '../primitives.ts';
import { spaceSchema } from '../space.ts';
import { storedVectorSchema } from '../vector.ts';

export const defaultPlaybookCorpus = 'playbook_memory';

export const playbookIdSchema = z
  .string()
  .regex(/^pb-[0-9a-f]{16}$/, { message: 'must be a playbook id, such as pb-1126c52bd106df6b' });

export const roleSchema = z.string().max(200);
export const tagsSchema = z.array(z.string().min(1).max(100)).max(50);

/** What a person chose for a query: the answer that the same query lifts from now on. */
export const playbookEntrySchema = z.strictObject({
  query_text: textSchema,
  answer_id: documentIdSchema,
  answer_corpus: corpusSchema,
  score: z.number().min(0).max(1),
  role: roleSchema.optional(),
  tags: tagsSchema.optional(),
});
export type PlaybookEntry = z.output<typeof playbookEntrySchema>;

/** A recorded playbook with the vector of its query, so that no embedder is needed to find it again. */
export const playbookDataSchema = z.strictObject({
  playbook_id: playbookIdSchema,
  corpus: corpusSchema,
  space: spaceSchema,
  vector: storedVectorSchema,
  entry: playbookEntrySchema,
  /** The PLAYBOOKS sequence of the recording that this is a copy of, for another space. */
  copy_of: sequenceSchema.optional(),
});
export type PlaybookData = z.output<typeof playbookDataSchema>;

export const playbookRetractedSchema = z.strictObject({
  playbook_id: playbookIdSchema,
  corpus: corpusSchema,
  reason: z.string().max(1000).optional(),
});
export type PlaybookRetracted = z.output<typeof playbookRetractedSchema>;
