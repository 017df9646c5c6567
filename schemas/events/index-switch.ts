import { z } from 'zod';
import { corpusSchema, sequenceSchema, sha256Schema } from '../primitives.ts';
import { spaceSchema } from '../space.ts';

/**
 * Says that an index was rebuilt aside, compared and snapshotted, and is to answer from now on. Every index worker
 * follows: it loads the snapshot, folds the tail and swaps.
 */
export const indexSwitchDataSchema = z.strictObject({
  corpus: corpusSchema,
  space: spaceSchema,
  kind: z.enum(['documents', 'playbooks']),
  run_id: z.string(),
  manifest: z.string(),
  checkpoint: z.record(z.string(), sequenceSchema),
  digest: sha256Schema,
});
export type IndexSwitchData = z.output<typeof indexSwitchDataSchema>;
