import { z } from 'zod';

const name = z.string().max(256);

/**
 * `POST /v1/matrix/downgrade`: which mode a model is to work in. `forced_mode` (true, or the name of a mode) leaves the
 * mode as it is; `force_full_enrichment` does too, and where it is left out `LH_FORCE_FULL_ENRICHMENT` decides.
 */
export const downgradeRequestSchema = z.strictObject({
  mode: name.trim().min(1, { message: 'is needed: the mode that was asked for, such as "codereview_lakehouse"' }),
  model: name.default(''),
  forced_mode: z.union([z.boolean(), name]).optional(),
  force_full_enrichment: z.boolean().optional(),
});
export type DowngradeRequest = z.output<typeof downgradeRequestSchema>;

/** `reason` tells what decided; `downgraded_from` is there where the mode was changed. */
export const downgradeReplySchema = z.strictObject({
  mode: z.string(),
  downgraded_from: z.string().optional(),
  reason: z.enum(['strong_model', 'weak_model', 'forced', 'full_enrichment', 'other_mode']),
});
export type DowngradeReply = z.output<typeof downgradeReplySchema>;
