import { createMetrics, type Metrics, tellOfProcess } from './metrics.ts';
import type { Tracing } from './tracing.ts';

/** What a process tells of its work to those who watch over it. */
export interface Telemetry {
  readonly metrics: Metrics;
  /** Undefined where no exporter is configured: then spans cost nothing, and traces are only passed on. */
  readonly tracing: Tracing | undefined;
}

/** Metrics that nobody reads, and no spans: for commands and tests. */
export function quietTelemetry(): Telemetry {
  return { metrics: createMetrics(), tracing: undefined };
}

/** The telemetry of a process, with what it tells of itself. */
export function processTelemetry(tracing: Tracing | undefined): Telemetry {
  const metrics = createMetrics();
  tellOfProcess(metrics);
  return { metrics, tracing };
}
