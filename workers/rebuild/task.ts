import { z } from 'zod';
import { sideNameSchema } from '../../schemas/events/index-switch.ts';
import { indexRebuildRunSchema, reembedRunSchema } from '../../schemas/events/lines.ts';
import { corpusSchema } from '../../schemas/primitives.ts';
import { spaceSchema } from '../../schemas/space.ts';

/** What the process is asked to do, as the JSON of its one argument. */
export const taskSchema = z.discriminatedUnion('task', [
  z.strictObject({
    task: z.literal('rebuild'),
    corpus: corpusSchema,
    kind: z.enum(['documents', 'playbooks']),
    compare: z.boolean(),
    force: z.boolean(),
    side: z
      .strictObject({
        name: sideNameSchema,
        untilSequence: z.number().int().nonnegative().optional(),
        asOfMs: z.number().int().nonnegative().optional(),
      })
      .nullable(),
  }),
  z.strictObject({
    task: z.literal('reembed'),
    corpus: corpusSchema,
    model: z.string(),
    force: z.boolean(),
    dropOld: z.boolean(),
  }),
  z.strictObject({ task: z.literal('drop-space'), corpus: corpusSchema, space: spaceSchema }),
  z.strictObject({ task: z.literal('verify'), settleDeadlineMs: z.number().int().positive() }),
]);
export type Task = z.output<typeof taskSchema>;

const differenceSchema = z.strictObject({
  corpus: z.string(),
  id: z.string(),
  expected: z.string(),
  found: z.string(),
});

/**
 * The two oracles. `digests`: the live digest against a clean fold of VECTORS and PLAYBOOKS to the same position. `ingest`:
 * ids, versions, hashes and metadata against a fold of INGEST alone, up to `until`.
 */
export const verifyReportSchema = z.strictObject({
  position: z.record(z.string(), z.number()),
  digests: z.array(
    z.strictObject({
      kind: z.string(),
      corpus: z.string(),
      space: z.string(),
      live: z.string().nullable(),
      clean: z.string().nullable(),
      equal: z.boolean(),
    }),
  ),
  ingest: z.strictObject({
    until: z.number(),
    documents: z.number(),
    rejected: z.number(),
    differences: z.array(differenceSchema),
    differing: z.number(),
  }),
  equal: z.boolean(),
});

export type Difference = z.output<typeof differenceSchema>;
export type VerifyReport = z.output<typeof verifyReportSchema>;

/** What the process tells, one JSON line each, on its standard output. */
export const messageSchema = z.discriminatedUnion('say', [
  z.strictObject({ say: z.literal('progress'), step: z.string(), done: z.number(), total: z.number() }),
  z.strictObject({ say: z.literal('rebuilt'), runs: z.array(indexRebuildRunSchema) }),
  z.strictObject({ say: z.literal('reembedded'), run: reembedRunSchema }),
  z.strictObject({ say: z.literal('dropped'), corpus: z.string(), space: z.string() }),
  z.strictObject({ say: z.literal('verified'), report: verifyReportSchema }),
  z.strictObject({ say: z.literal('failed'), message: z.string() }),
]);
export type TaskMessage = z.output<typeof messageSchema>;
