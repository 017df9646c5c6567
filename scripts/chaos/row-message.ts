import { z } from 'zod';
import { faultIds } from './fault-row.ts';

/** What the process of one run is asked, as the JSON of its one argument. */
export const rowTaskSchema = z.strictObject({
  fault: z.enum(faultIds),
  seed: z.number().int().nonnegative(),
  scale: z.enum(['short', 'long']),
  withFault: z.boolean(),
  mutation: z.string().optional(),
  budgetMs: z.number().positive().optional(),
});
export type RowTask = z.output<typeof rowTaskSchema>;

export const checkSchema = z.strictObject({ oracle: z.string(), held: z.boolean(), seen: z.string() });
export const countsSchema = z.record(z.string(), z.number());

/** What it tells, one JSON line each, on its standard output. */
export const rowMessageSchema = z.discriminatedUnion('say', [
  z.strictObject({ say: z.literal('line'), line: z.string() }),
  z.strictObject({
    say: z.literal('done'),
    checks: z.array(checkSchema),
    counts: countsSchema,
    durationMs: z.number(),
  }),
  z.strictObject({ say: z.literal('failed'), failure: z.string(), durationMs: z.number() }),
]);
export type RowMessage = z.output<typeof rowMessageSchema>;
