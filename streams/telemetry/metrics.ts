import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { type RejectionReason, rejectionReasons } from '../../schemas/events/rejected.ts';

/** Upper bounds in seconds: from an answer out of memory to a wait for a whole batch. */
const durationBucketsSeconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60];

/** `2xx` and so on; `gone` where the caller went away before the answer. */
export type StatusClass = '1xx' | '2xx' | '3xx' | '4xx' | '5xx' | 'gone';

/** Takes one duration, in seconds. */
export type Observe = (seconds: number) => void;

/** What one process tells of itself, under the names of the table in `streams/telemetry/README.md`. */
export interface Metrics {
  readonly registry: Registry;
  /** A handle for one route and status class; made once and kept, as finding it costs more than using it. */
  httpRequests(method: string, route: string, status: StatusClass): Observe;
  serviceRequests(subject: string, status: StatusClass): Observe;
  reactorMessages(worker: string, outcome: string): Observe;
  countRejected(reason: RejectionReason): void;
  countStalled(stream: string, consumer: string): void;
  /** The exposition text of everything, for Prometheus. */
  text(): Promise<string>;
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const buckets = durationBucketsSeconds;
  // Made when first used: a worker has no HTTP requests, the gateway no messages.
  const http = once(
    () =>
      new Histogram({
        name: 'lakehouse_http_request_duration_seconds',
        help: 'Requests over HTTP, from the first byte to the end of the answer',
        labelNames: ['method', 'route', 'status'],
        buckets,
        registers,
      }),
  );
  const service = once(
    () =>
      new Histogram({
        name: 'lakehouse_service_request_duration_seconds',
        help: 'Requests over the bus, from the call of the handler to its answer',
        labelNames: ['subject', 'status'],
        buckets,
        registers,
      }),
  );
  const reactor = once(
    () =>
      new Histogram({
        name: 'lakehouse_reactor_message_duration_seconds',
        help: 'Messages that a reactor worked on, by what became of them',
        labelNames: ['worker', 'outcome'],
        buckets,
        registers,
      }),
  );
  const rejected = new Counter({
    name: 'lakehouse_rejected_total',
    help: 'Messages that this process set aside in REJECTED, by reason',
    labelNames: ['reason'],
    registers,
  });
  // A series that begins at its first event has no rate for it.
  for (const reason of rejectionReasons) rejected.inc({ reason }, 0);
  const stalled = new Counter({
    name: 'lakehouse_stalls_total',
    help: 'Times that a consumer had work, did not move, and was taken up again',
    labelNames: ['stream_name', 'consumer_name'],
    registers,
  });
  const observer = (child: { observe(seconds: number): void }): Observe => child.observe;
  return {
    registry,
    httpRequests: (method, route, status) => observer(http().labels(method, route, status)),
    serviceRequests: (subject, status) => observer(service().labels(subject, status)),
    reactorMessages: (worker, outcome) => observer(reactor().labels(worker, outcome)),
    countRejected: (reason) => rejected.inc({ reason }),
    countStalled: (stream, consumer) => stalled.inc({ stream_name: stream, consumer_name: consumer }),
    text: () => registry.metrics(),
  };
}

/**
 * How often the event loop is looked at, which is also the least that its lag can read: looking more often was most of what
 * a process that has nothing to do takes of a processor.
 */
const eventLoopLookMs = 50;

/** Adds what every process tells: CPU, memory, garbage collection, handles, and the delay of the event loop. */
export function tellOfProcess({ registry }: Metrics): void {
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: eventLoopLookMs });
}

/** One sample: a value under its labels. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface ReadMetric {
  readonly name: string;
  readonly help: string;
  readonly labelNames?: readonly string[];
  /** Asked at each scrape; nothing is kept in between. Undefined or none: the metric has no sample now. */
  readonly read: () => readonly Sample[] | number | undefined | Promise<readonly Sample[] | number | undefined>;
}

/** A gauge that is read when it is asked for. Whoever reads a name last is asked: a part that was started again. */
export function readGauge({ registry }: Metrics, metric: ReadMetric): void {
  registry.removeSingleMetric(metric.name);
  new Gauge({
    ...declared(metric, registry),
    async collect() {
      const samples = await samplesOf(metric);
      forget(this, metric);
      for (const { labels, value } of samples) this.set(labels, value);
    },
  });
}

/** A counter that somebody else counts: read when it is asked for. */
export function readCounter({ registry }: Metrics, metric: ReadMetric): void {
  registry.removeSingleMetric(metric.name);
  new Counter({
    ...declared(metric, registry),
    async collect() {
      const samples = await samplesOf(metric);
      forget(this, metric);
      for (const { labels, value } of samples) this.inc(labels, value);
    },
  });
}

function declared({ name, help, labelNames = [] }: ReadMetric, registry: Registry) {
  return { name, help, labelNames: [...labelNames], registers: [registry] };
}

/** A metric without labels begins again at 0 when it is reset: that would be a value that nobody read. */
function forget(kept: Gauge | Counter, { labelNames = [] }: ReadMetric): void {
  kept.reset();
  if (labelNames.length === 0) kept.remove();
}

/** What can not be read has no sample: one part that is away must not take the others with it. */
async function samplesOf({ read }: ReadMetric): Promise<readonly Sample[]> {
  try {
    const found = await read();
    if (found === undefined) return [];
    return typeof found === 'number' ? [{ labels: {}, value: found }] : found;
  } catch {
    return [];
  }
}

/** `4xx` of 404. */
export function statusClassOf(status: number): StatusClass {
  if (status < 200) return '1xx';
  if (status < 300) return '2xx';
  if (status < 400) return '3xx';
  return status < 500 ? '4xx' : '5xx';
}

function once<Value>(make: () => Value): () => Value {
  let made: Value | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
