/** The header of W3C Trace Context, in the lower case in which it travels everywhere: HTTP, NATS, frames and events. */
export const traceparentHeader = 'traceparent';

export interface TraceContext {
  /** 32 lower-case hex digits. */
  readonly traceId: string;
  /** 16 lower-case hex digits: whoever caused this. */
  readonly spanId: string;
  readonly sampled: boolean;
}

const pattern = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const charactersMax = 512;
const noTrace = '0'.repeat(32);
const noSpan = '0'.repeat(16);

/**
 * Reads a `traceparent` (W3C Trace Context, section 3.2). Undefined where it is malformed: then it is as if it had not
 * been sent. A version that came later may bring more fields, which are let go; version 00 may not.
 */
export function parseTraceparent(text: unknown): TraceContext | undefined {
  if (typeof text !== 'string' || text.length > charactersMax) return undefined;
  const [, version, traceId, spanId, flags, more] = pattern.exec(text) ?? [];
  if (version === undefined || traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  if (version === 'ff' || (version === '00' && more !== undefined)) return undefined;
  if (traceId === noTrace || spanId === noSpan) return undefined;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

/** Writes a `traceparent` of version 00. */
export function formatTraceparent({ traceId, spanId, sampled }: TraceContext): string {
  return `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`;
}

/** The text itself where it can be passed on, written as version 00; undefined where it is malformed or not there. */
export function readTraceparent(text: unknown): string | undefined {
  if (text === undefined) return undefined;
  const context = parseTraceparent(text);
  return context === undefined ? undefined : formatTraceparent(context);
}
