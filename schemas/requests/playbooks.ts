import { z } from 'zod';
import { defaultPlaybookCorpus, playbookEntrySchema, playbookIdSchema } from '../events/playbook.ts';
import { corpusSchema } from '../primitives.ts';

export const playbookBulkEntriesMax = 5_000;

/** `POST /v1/matrix/playbooks/record`. `corpus` is the playbook corpus. */
export const recordRequestSchema = playbookEntrySchema.extend({
  corpus: corpusSchema.default(defaultPlaybookCorpus),
});
export type RecordRequest = z.output<typeof recordRequestSchema>;

export const recordSlips = {
  query: 'query_text',
  text: 'query_text',
  id: 'answer_id',
  worker_id: 'answer_id',
  playbook_corpus: 'corpus',
  query_role: 'role',
} as const;

export const recordReplySchema = z.strictObject({ playbook_id: playbookIdSchema });
export type RecordReply = z.output<typeof recordReplySchema>;

/**
 * `POST /v1/matrix/playbooks/bulk`. Entries stand alone: a bad one is reported with its index and the others are
 * recorded, so they are not checked here.
 */
export const bulkRequestSchema = z.strictObject({
  corpus: corpusSchema.optional(),
  entries: z.array(z.unknown()).min(1).max(playbookBulkEntriesMax),
});

export const bulkReplySchema = z.strictObject({
  recorded: z.number().int(),
  failed: z.number().int(),
  results: z.array(
    z.union([
      z.strictObject({ index: z.number().int(), playbook_id: playbookIdSchema }),
      z.strictObject({ index: z.number().int(), error: z.string() }),
    ]),
  ),
});
export type BulkReply = z.output<typeof bulkReplySchema>;

/** `POST /v1/matrix/playbooks/retract`. */
export const retractRequestSchema = z.strictObject({
  playbook_id: playbookIdSchema,
  corpus: corpusSchema.default(defaultPlaybookCorpus),
  reason: z.string().max(1000).optional(),
});
export const retractReplySchema = z.strictObject({ playbook_id: playbookIdSchema, retracted: z.literal(true) });
export type RetractReply = z.output<typeof retractReplySchema>;
