import { z } from 'zod';

/** `POST /v1/ingest/<corpus>`: what was appended, as sequences of INGEST. */
export const ingestReplySchema = z.strictObject({
  accepted: z.number().int(),
  first_seq: z.number().int(),
  last_seq: z.number().int(),
  searchable: z.number().int().optional(),
  rejected: z
    .array(z.strictObject({ id: z.string(), seq: z.number().int(), reason: z.string(), message: z.string() }))
    .optional(),
});
export type IngestReply = z.output<typeof ingestReplySchema>;

export const ingestRowsMax = 10_000;
