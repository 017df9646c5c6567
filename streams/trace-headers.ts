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

/** The cause that headers tell; what is malformed is let go. An empty text is a header that is not there. */
export function causeOf(header: (name: string) => string | undefined): Cause {
  return {
    traceId: header(traceHeader) || undefined,
    traceparent: readTraceparent(header(traceparentHeader) || undefined),
  };
}
