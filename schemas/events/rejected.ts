import { z } from 'zod';
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

/** What of a rejected payload is kept, in bytes; a longer one is cut and said to be. The log has the whole. */
export const rejectedPayloadBytesMax = 64 * 1024;

/**
 * A message that would fail forever, with all that is needed to find, understand and retry it. `versions` names the
 * INGEST sequences that it would have made searchable, so that whoever waits for one learns of it.
 */
export const rejectedDataSchema = z.strictObject({
  stream: z.string(),
  sequence: sequenceSchema,
  subject: z.string(),
  worker: z.string(),
  reason: z.enum(rejectionReasons),
  message: z.string(),
  attempts: z.number().int().positive(),
  version: sequenceSchema.nullable(),
  payload_base64: z.string(),
  payload_cut: z.boolean(),
});
export type RejectedData = z.output<typeof rejectedDataSchema>;
