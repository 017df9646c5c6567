import { z } from 'zod';
import { sha256Schema } from '../primitives.ts';

/** Where a row came from. `line_offset` counts from 0 and is always written, for the first row too. */
export const provenanceSchema = z.strictObject({
  source_file: z.string().min(1),
  line_offset: z.number().int().nonnegative(),
  /** SHA-256 of the source row's canonical JSON (keys in order, at every depth). */
  sig_hash: sha256Schema,
  recorded_at: z.iso.datetime({ offset: true }),
});
export type Provenance = z.output<typeof provenanceSchema>;

/** Some text that is more than white space. */
export const filledText = z.string().refine((text) => text.trim() !== '', { message: 'must not be blank' });
