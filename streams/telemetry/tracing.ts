/** A span that was begun: work under way, which others may be caused by. */
export interface StartedSpan {
  /** What is handed on, so that what this causes belongs to it. */
  readonly traceparent: string;
  /** Tells that the work is over. `failure` marks it as failed, in words without secrets. */
  end(failure?: string, attributes?: SpanAttributes): void;
}

export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

export interface SpanStart {
  readonly name: string;
  readonly kind: 'server' | 'consumer' | 'client';
  /** What caused it; malformed or absent, it is the first of a trace. */
  readonly parent: string | undefined;
  readonly attributes?: SpanAttributes;
}

/**
 * Spans, told to an exporter. Beginning and ending one never waits and never fails: what the exporter can not take is
 * let go.
 */
export interface Tracing {
  start(span: SpanStart): StartedSpan;
  /** Tells what is left, within `waitMs`. */
  stop(waitMs: number): Promise<void>;
}

/** Where spans are told to; undefined: nowhere. */
export interface TracingTarget {
  readonly tracesUrl: string | undefined;
}

/** The tracing of a process, or none: then nothing of OpenTelemetry is loaded. */
export async function startTracing(
  { tracesUrl: url }: TracingTarget,
  service: string,
  instance: string,
): Promise<Tracing | undefined> {
  if (url === undefined) return undefined;
  const { createTracing } = await import('./open-telemetry.ts');
  return createTracing({ url, service, instance });
}
