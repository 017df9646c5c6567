import type { z } from 'zod';
import {
  type ObservedOperation,
  observationLimits,
  observedOperationSchema,
} from '../../schemas/events/observation.ts';
import { issueSentence, ProblemError } from '../../schemas/problems.ts';
import type { observerEventRequestSchema } from '../../schemas/requests/observer.ts';

export const defaultSource = 'mcp';

export type ObserverEventRequest = z.output<typeof observerEventRequestSchema>;

/** Fields that are copied where they are given; every other one that is not known is left out. */
const optionalFields = [
  'error',
  'trace_id',
  'staffer_id',
  'sig_hash',
  'event_kind',
  'role',
  'city',
  'state',
  'count',
  'rescue_attempted',
  'rescue_succeeded',
] as const;

/**
 * The operation that a posted event tells of. What is left out is filled in: `timestamp` the time now, `source` (also
 * where it is "") `mcp`, `success` what `ok` says, and else true: whoever tells of an operation without an outcome means
 * one that was done. `duration_ms` may be named `audit_duration_ms`, `output_summary` may be named `one_liner`.
 * Line ends become spaces; summaries and `error` are cut to their limit. A posted event is one operation: `occurrences`
 * is only for batches of our own processes.
 * @param now ISO 8601
 * @throws ProblemError `bad_request` with the field, where a value is not what the field takes
 */
export function operationFrom(request: ObserverEventRequest, now: string): ObservedOperation {
  const candidate: Record<string, unknown> = {
    timestamp: oneLine(request.timestamp ?? '') || now,
    endpoint: oneLine(request.endpoint),
    source: request.source || defaultSource,
    success: request.success ?? request.ok ?? true,
    duration_ms: request.duration_ms ?? request.audit_duration_ms ?? 0,
    input_summary: summary(request.input_summary ?? ''),
    output_summary: summary(request.output_summary ?? request.one_liner ?? ''),
  };
  for (const field of optionalFields) {
    const value = request[field] ?? undefined;
    if (value === undefined) continue;
    if (typeof value !== 'string') candidate[field] = value;
    else candidate[field] = field === 'error' ? summary(value) : oneLine(value);
  }
  const parsed = observedOperationSchema.safeParse(candidate);
  if (parsed.success) return parsed.data;
  const field = parsed.error.issues[0]?.path.map(String).join('.') ?? '';
  throw new ProblemError('bad_request', issueSentence(parsed.error), { field });
}

function oneLine(text: string): string {
  return text.replace(/[\r\n]+/g, ' ');
}

/** A cut may fall between the two halves of a character: what is left of it is replaced. */
function summary(text: string): string {
  return oneLine(text).slice(0, observationLimits.summaryCharactersMax).toWellFormed();
}
