import { isTraceId } from '../schemas/primitives.ts';
import { readTraceparent, traceparentHeader } from '../schemas/traceparent.ts';

export const traceHeader = 'X-Lakehouse-Trace-Id';

/** What ties work to whatever caused it. */
export interface Cause {
  /** The id that the caller named, or the gateway made up; in logs, observations and events. */
  readonly traceId?: string | undefined;
  /** W3C Trace Context, well formed. */
  readonly traceparent?: string | undefined;
}

/** The cause as headers, of HTTP, of a message or of a request within one. */
export function causeHeaders({ traceId, traceparent }: Cause): Record<string, string> {
  const headers: Record<string, string> = {};
  if (traceId !== undefined) headers[traceHeader] = traceId;
  if (traceparent !== undefined) headers[traceparentHeader] = traceparent;
  return headers;
}

/**
 * The cause that headers tell; what is malformed is let go: anybody may put headers on a message, and an id that an
 * event can not carry would make every event unreadable that is written because of it.
 */
export function causeOf(header: (name: string) => string | undefined): Cause {
  const traceId = header(traceHeader) ?? '';
  return {
    traceId: isTraceId(traceId) ? traceId : undefined,
    traceparent: readTraceparent(header(traceparentHeader) || undefined),
  };
}
