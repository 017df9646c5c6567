import { z } from 'zod';
import { corpusSchema, sequenceSchema, sha256Schema } from '../primitives.ts';
import { spaceSchema } from '../space.ts';

/** The name of a side index: an index of the past that is asked by its name and never answers for its corpus. */
export const sideNameSchema = z
  .string()
  .regex(/^[a-z0-9_-]{1,64}$/, { message: 'must be 1 to 64 of a-z, 0-9, "_" and "-", such as "last-tuesday"' });

/**
 * Says that an index was rebuilt aside, compared and snapshotted, and is to answer from now on. Every index worker
 * follows: it loads the snapshot, folds the tail and swaps. With `side` set it is kept beside, under that name, as it was
 * at its checkpoint; `manifest` null lets that one go.
 */
export const indexSwitchDataSchema = z.strictObject({
  corpus: corpusSchema,
  space: spaceSchema,
  kind: z.enum(['documents', 'playbooks']),
  side: sideNameSchema.nullable(),
  run_id: z.string(),
  manifest: z.string().nullable(),
  checkpoint: z.record(z.string(), sequenceSchema),
  digest: sha256Schema,
});
export type IndexSwitchData = z.output<typeof indexSwitchDataSchema>;
