import { z } from 'zod';
import { observationLimits, observedOperationSchema } from '../events/observation.ts';
import { deadLetterStates, rejectionReasons } from '../events/rejected.ts';

/** `POST /v1/observer/event`: `endpoint` is needed, the rest is filled in (`source` "" becomes "mcp"). */
export const observerEventRequestSchema = z.looseObject({
  endpoint: z
    .string({ error: 'is needed: what was called' })
    .min(1, { message: 'must not be empty' })
    .max(observationLimits.endpointCharactersMax),
  source: z.string().max(observationLimits.sourceCharactersMax).optional(),
  timestamp: z.string().max(64).optional(),
  success: z.boolean().optional(),
  ok: z.boolean().optional(),
  duration_ms: z.number().nonnegative().optional(),
  audit_duration_ms: z.number().nonnegative().optional(),
  input_summary: z.string().optional(),
  output_summary: z.string().optional(),
  one_liner: z.string().optional(),
  error: z.string().optional(),
});

export const observerEventReplySchema = z.strictObject({
  accepted: z.literal(true),
  ring_size: z.number().int(),
});
export type ObserverEventReply = z.output<typeof observerEventReplySchema>;

const scenarioOperation = z.strictObject({
  timestamp: z.string(),
  endpoint: z.string(),
  success: z.boolean(),
  staffer_id: z.string().optional(),
  kind: z.string().optional(),
  role: z.string().optional(),
});

export const observerStatsReplySchema = z.strictObject({
  total: z.number().int(),
  successes: z.number().int(),
  failures: z.number().int(),
  dropped: z.number().int(),
  by_source: z.record(z.string(), z.number().int()),
  recent_scenario_ops: z.array(scenarioOperation),
});
export type ObserverStatsReply = z.output<typeof observerStatsReplySchema>;

export const observerHealthReplySchema = z.strictObject({
  status: z.literal('ok'),
  service: z.literal('observer'),
  ring_size: z.number().int(),
});
export type ObserverHealthReply = z.output<typeof observerHealthReplySchema>;
/** `GET /v1/observer/rejected`: how many messages were set aside, by why and by what became of them. */
export const observerRejectedReplySchema = z.strictObject({
  /** The last sequence of REJECTED that is counted. */
  sequence: z.number().int(),
  /** Those about which something is still to be done: waiting and retrying. */
  open: z.number().int(),
  by_reason: z.record(z.enum(rejectionReasons), z.record(z.enum(deadLetterStates), z.number().int())),
  /** Older ones that are not counted any more. */
  forgotten: z.number().int(),
});
export type ObserverRejectedReply = z.output<typeof observerRejectedReplySchema>;
export { observedOperationSchema };
