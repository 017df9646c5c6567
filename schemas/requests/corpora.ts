import { z } from 'zod';
import { corpusSchema } from '../primitives.ts';
import { dimensionMax, spaceSchema } from '../space.ts';

/**
 * `GET /v1/matrix/corpora`: the corpora that a search may name, with those of playbooks, by name. One that lies in several
 * spaces is listed once for each; `serving` is true for the one that answers.
 */
export const corporaReplySchema = z.strictObject({
  corpora: z.array(
    z.strictObject({
      name: corpusSchema,
      playbooks: z.boolean(),
      space: spaceSchema,
      dimension: z.number().int().min(1).max(dimensionMax),
      distance: z.enum(['cosine', 'euclidean']),
      /** That can be found; of a playbook corpus, recordings. */
      documents: z.number().int(),
      /** Ids that are known and deleted, or live in another space. */
      tombstones: z.number().int(),
      serving: z.boolean(),
    }),
  ),
});
export type CorporaReply = z.output<typeof corporaReplySchema>;
