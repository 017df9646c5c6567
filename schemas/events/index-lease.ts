import { z } from 'zod';
import { corpusSchema } from '../primitives.ts';

export const leaseTasks = ['rebuild', 'reembed', 'drop-space'] as const;

/**
 * Says that somebody changes how a corpus answers, so that nobody else does meanwhile. Said again and again while it
 * lasts: it ends when it is released, or `lease_ms` after it was said last. Times are those at which the log stored it. One
 * that is said while another's lasts is void: the order of the log decides, whatever clocks say.
 */
export const indexLeaseDataSchema = z.strictObject({
  corpus: corpusSchema,
  state: z.enum(['claimed', 'released']),
  run_id: z.string(),
  task: z.enum(leaseTasks),
  /** Who it is, for people: a process and its machine. */
  holder: z.string(),
  lease_ms: z.number().int().positive(),
});
export type IndexLeaseData = z.output<typeof indexLeaseDataSchema>;
