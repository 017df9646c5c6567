import { z } from 'zod';
import type { Upcaster } from '../envelope.ts';
import { sequenceSchema } from '../primitives.ts';

/** Why a message was set aside. Stable: operators filter and retry by them. */
export const rejectionReasons = [
  'bad_json',
  'bad_envelope',
  'unknown_type',
  'unknown_version',
  'invalid_event',
  'invalid_vector',
  'space_mismatch',
  'text_refused',
  'handler_failed',
] as const;
export type RejectionReason = (typeof rejectionReasons)[number];

/** A payload that is longer, in bytes, is not copied: `stream` and `sequence` say where it lies. */
export const rejectedPayloadBytesMax = 64 * 1024;

/** Which message was set aside by whom: the identity of a dead letter, and the tokens of its subject. */
const identity = { stream: z.string(), sequence: sequenceSchema, worker: z.string() };

/**
 * A message that would fail forever, with all that is needed to find, understand and retry it. `version` is
 * the INGEST sequence that it would have made searchable, so that whoever waits for it learns of it. `attempts` counts over
 * all retries; `retry` is the REJECTED sequence of the retry that failed, 0 where none was asked for.
 */
export const rejectedDataSchema = z.strictObject({
  ...identity,
  subject: z.string(),
  reason: z.enum(rejectionReasons),
  message: z.string(),
  attempts: z.number().int().positive(),
  version: sequenceSchema.nullable(),
  payload_base64: z.string().nullable(),
  payload_bytes: sequenceSchema.nullable(),
  retry: sequenceSchema,
});
export type RejectedData = z.output<typeof rejectedDataSchema>;

/** Before version 2 a long payload was cut, its length unknown, and nothing was retried. */
export const rejectedUpcasters: Readonly<Record<number, Upcaster>> = {
  1: (data) => {
    const { payload_cut: cut, ...kept } = data as Record<string, unknown> & { payload_base64: string };
    const payload = Buffer.from(kept.payload_base64, 'base64');
    const whole = { payload_base64: kept.payload_base64, payload_bytes: payload.length };
    return { ...kept, ...(cut === true ? { payload_base64: null, payload_bytes: null } : whole), retry: 0 };
  },
};

/** An operator asks the worker to take a message that it set aside once more. */
export const rejectedRetryDataSchema = z.strictObject(identity);
export type RejectedRetryData = z.output<typeof rejectedRetryDataSchema>;

/**
 * What became of a dead letter.
 * - `retried`: the worker took it again, and it took effect: `appended` events (0 where newer ones were there already)
 * - `superseded`: a newer state has taken its place in its stream, so that there is nothing left to do
 * - `dropped`: an operator let it go
 */
export const rejectionOutcomes = ['retried', 'superseded', 'dropped'] as const;

/**
 * Where a dead letter stands: `waiting` until somebody does something about it, `retrying` while its worker was asked to
 * take it again and has not answered yet, and then how it was settled.
 */
export const deadLetterStates = ['waiting', 'retrying', ...rejectionOutcomes] as const;
export type DeadLetterState = (typeof deadLetterStates)[number];

export const rejectedResolvedDataSchema = z.strictObject({
  ...identity,
  outcome: z.enum(rejectionOutcomes),
  version: sequenceSchema.nullable(),
  appended: sequenceSchema,
  detail: z.string(),
  /** The REJECTED sequence of the retry that settled it; 0 where none was asked for. */
  retry: sequenceSchema,
});
export type RejectedResolvedData = z.output<typeof rejectedResolvedDataSchema>;
