import { z } from 'zod';
import { corpusSchema } from '../primitives.ts';
import { spaceSchema } from '../space.ts';

/**
 * What a space is to a corpus, beside the space that its documents name themselves. `held`: all of its documents that have
 * a text get a vector there too, and the playbooks that answer with them. `serving`: as `held`, and the corpus answers in
 * it from now on. `dropped`: nothing of the corpus is found in it any more.
 */
export const corpusSpaceDataSchema = z.strictObject({
  corpus: corpusSchema,
  space: spaceSchema,
  state: z.enum(['held', 'serving', 'dropped']),
  run_id: z.string(),
});
export type CorpusSpaceData = z.output<typeof corpusSpaceDataSchema>;
