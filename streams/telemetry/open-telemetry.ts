import { type Context, ROOT_CONTEXT, SpanKind, SpanStatusCode, TraceFlags, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-node';
import { formatTraceparent, parseTraceparent } from '../../schemas/traceparent.ts';
import type { SpanStart, Tracing } from './tracing.ts';

export const tracingLimits = {
  /** Spans that wait to be told; beyond them they are let go. */
  waitingSpansMax: 4_096,
  batchSpansMax: 512,
  tellEveryMs: 1_000,
  exportTimeoutMs: 5_000,
} as const;

const kinds = { server: SpanKind.SERVER, consumer: SpanKind.CONSUMER, client: SpanKind.CLIENT } as const;

export interface TracingOptions {
  /** Where spans are posted to, path and all. */
  readonly url: string;
  readonly service: string;
  readonly instance: string;
}

/**
 * Spans over OTLP (HTTP, JSON). Loaded only where an exporter is configured. Headers of the exporter and the sampler are
 * read from the environment by OpenTelemetry itself (`OTEL_EXPORTER_OTLP_HEADERS`, `OTEL_TRACES_SAMPLER`).
 */
export function createTracing({ url, service, instance }: TracingOptions): Tracing {
  const { waitingSpansMax, batchSpansMax, tellEveryMs, exportTimeoutMs } = tracingLimits;
  const exporter = new OTLPTraceExporter({ url, timeoutMillis: exportTimeoutMs });
  const processor = new BatchSpanProcessor(exporter, {
    maxQueueSize: waitingSpansMax,
    maxExportBatchSize: batchSpansMax,
    scheduledDelayMillis: tellEveryMs,
    exportTimeoutMillis: exportTimeoutMs,
  });
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({ 'service.name': `lakehouse-${service}`, 'service.instance.id': instance }),
    spanProcessors: [processor],
  });
  const tracer = provider.getTracer('lakehouse');
  return {
    start: (begun) => {
      const { name, kind, attributes } = begun;
      const { context, links } = causeOf(begun);
      const span = tracer.startSpan(name, { kind: kinds[kind], links, ...(attributes && { attributes }) }, context);
      const { traceId, spanId, traceFlags } = span.spanContext();
      const sampled = (traceFlags & TraceFlags.SAMPLED) !== 0;
      return {
        traceparent: formatTraceparent({ traceId, spanId, sampled }),
        end: (failure, more) => {
          if (more !== undefined) span.setAttributes(more);
          if (failure !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: failure });
          span.end();
        },
      };
    },
    stop: async (waitMs) => {
      const late = new Promise<void>((resolve) => setTimeout(resolve, waitMs).unref());
      await Promise.race([provider.shutdown().catch(() => undefined), late]);
    },
  };
}

/** A consumer's span is of the trace of the event, and linked to what appended it, which ended long before. */
function causeOf({ parent, kind }: SpanStart): { context: Context; links: { context: SpanCause }[] } {
  const cause = parseTraceparent(parent);
  if (cause === undefined) return { context: ROOT_CONTEXT, links: [] };
  const { traceId, spanId, sampled } = cause;
  const remote: SpanCause = {
    traceId,
    spanId,
    traceFlags: sampled ? TraceFlags.SAMPLED : TraceFlags.NONE,
    isRemote: true,
  };
  const links = kind === 'consumer' ? [{ context: remote }] : [];
  return { context: trace.setSpanContext(ROOT_CONTEXT, remote), links };
}

type SpanCause = { traceId: string; spanId: string; traceFlags: TraceFlags; isRemote: true };
