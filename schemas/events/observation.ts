import { z } from 'zod';

export const observationLimits = {
  endpointCharactersMax: 256,
  summaryCharactersMax: 512,
  sourceCharactersMax: 64,
  opsPerEventMax: 500,
} as const;

/** A source becomes a subject token: lower-case letters, digits, `_` and `-`. */
export const observationSourceSchema = z
  .string()
  .regex(/^[a-z0-9_-]{1,64}$/, { message: 'must be 1 to 64 of a-z, 0-9, "_" and "-", such as "scenario"' });

const summary = z.string().max(observationLimits.summaryCharactersMax);

/** One operation that somebody observed, in the reference's fields. `timestamp` is ISO 8601. */
export const observedOperationSchema = z.strictObject({
  timestamp: z.string().min(1).max(64),
  endpoint: z.string().min(1).max(observationLimits.endpointCharactersMax),
  source: observationSourceSchema,
  success: z.boolean(),
  duration_ms: z.number().nonnegative(),
  input_summary: summary,
  output_summary: summary,
  error: summary.optional(),
  trace_id: z.string().max(128).optional(),
  staffer_id: z.string().max(128).optional(),
  sig_hash: z.string().max(128).optional(),
  event_kind: z.string().max(64).optional(),
  role: z.string().max(200).optional(),
  city: z.string().max(100).optional(),
  state: z.string().max(100).optional(),
  count: z.number().int().optional(),
  rescue_attempted: z.boolean().optional(),
  rescue_succeeded: z.boolean().optional(),
  /** This row stands for so many operations alike; `duration_ms` is their mean. 1 where it is left out. */
  occurrences: z.number().int().positive().optional(),
});
export type ObservedOperation = z.output<typeof observedOperationSchema>;

/**
 * A batch of operations from one process. `dropped` counts operations that a full buffer let go before this batch, so
 * that the totals say what they do not know.
 */
export const observationDataSchema = z.strictObject({
  source: observationSourceSchema,
  operations: z.array(observedOperationSchema).max(observationLimits.opsPerEventMax),
  dropped: z.number().int().nonnegative(),
});
export type ObservationData = z.output<typeof observationDataSchema>;
