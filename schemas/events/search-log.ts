import { z } from 'zod';
import { corpusSchema } from '../primitives.ts';
import { playbookIdSchema } from './playbook.ts';

/** One search that was answered: enough to ask it again, and to see whether the answer changed. */
export const loggedSearchSchema = z.strictObject({
  searched_at: z.string(),
  query_text: z.string().nullable(),
  request: z.record(z.string(), z.unknown()),
  position: z.record(z.string(), z.number()),
  results: z.array(z.strictObject({ id: z.string(), corpus: corpusSchema, distance: z.number() })),
  playbook_boosted: z.number().int(),
  playbook_injected: z.number().int(),
  /** Which playbook decided the distance of a result that was told, and how; left out by older programs. */
  lifts: z
    .array(
      z.strictObject({ corpus: corpusSchema, playbook_id: playbookIdSchema, kind: z.enum(['boosted', 'injected']) }),
    )
    .optional(),
  trace_id: z.string().optional(),
});
export type LoggedSearch = z.output<typeof loggedSearchSchema>;

export const searchDataSchema = z.strictObject({ corpus: corpusSchema, searches: z.array(loggedSearchSchema).min(1) });
export type SearchData = z.output<typeof searchDataSchema>;
