import { z } from 'zod';
import { observedOperationSchema } from '../../schemas/events/observation.ts';
import { sequenceSchema } from '../../schemas/primitives.ts';
import { issueSentence } from '../../schemas/problems.ts';
import { observerStatsReplySchema } from '../../schemas/requests/observer.ts';
import { foldLimits, type ObserverState } from './fold.ts';

/** The state with how far of which stream it is the fold: one file, so that the two can not disagree. */
export interface Checkpoint {
  /** When the stream was made, in milliseconds since 1970: a checkpoint of another log is worth nothing. */
  readonly streamCreatedAtMs: number;
  /** The last sequence that is folded. */
  readonly sequence: number;
  readonly state: ObserverState;
}

const count = z.number().int().nonnegative();

const fileSchema = z.strictObject({
  schema: z.literal('observer_state.v1'),
  stream: z.literal('OBSERVATIONS'),
  stream_created_at_ms: count,
  sequence: sequenceSchema,
  total: count,
  successes: count,
  failures: count,
  dropped: count,
  /** Pairs, not an object: a source may be named `__proto__`. */
  by_source: z.array(z.tuple([z.string(), count])).max(foldLimits.sourcesMax + 1),
  ring: z.array(observedOperationSchema).max(foldLimits.ringOperationsMax),
  recent_scenario_ops: observerStatsReplySchema.shape.recent_scenario_ops.max(foldLimits.recentScenarioOperationsMax),
});

/** The text of a checkpoint's file; `decodeCheckpoint` reads it. */
export function encodeCheckpoint(checkpoint: Checkpoint): string {
  const { state } = checkpoint;
  const file = {
    schema: 'observer_state.v1',
    stream: 'OBSERVATIONS',
    stream_created_at_ms: checkpoint.streamCreatedAtMs,
    sequence: checkpoint.sequence,
    total: state.total,
    successes: state.successes,
    failures: state.failures,
    dropped: state.dropped,
    by_source: [...state.bySource],
    ring: state.ring,
    recent_scenario_ops: state.recentScenarioOperations,
  };
  return JSON.stringify(file);
}

/** Reads what `encodeCheckpoint` wrote, or says in `fault` why it can not. */
export function decodeCheckpoint(text: string): { readonly checkpoint: Checkpoint } | { readonly fault: string } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { fault: `it is not JSON: ${String(error)}` };
  }
  const parsed = fileSchema.safeParse(value);
  if (!parsed.success) return { fault: issueSentence(parsed.error) };
  const file = parsed.data;
  const state: ObserverState = {
    total: file.total,
    successes: file.successes,
    failures: file.failures,
    dropped: file.dropped,
    bySource: new Map(file.by_source),
    ring: file.ring,
    recentScenarioOperations: file.recent_scenario_ops,
  };
  return { checkpoint: { streamCreatedAtMs: file.stream_created_at_ms, sequence: file.sequence, state } };
}
