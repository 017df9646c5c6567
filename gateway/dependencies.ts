import type { Space } from '../schemas/space.ts';
import type { Appended } from '../streams/append.ts';
import type { Clock } from '../streams/clock.ts';
import type { RuntimeLog } from '../streams/logger.ts';
import type { ObservationReporter } from '../streams/observations.ts';
import type { ServiceClient } from '../streams/service-client.ts';
import type { StreamAlarm } from '../streams/stream-watch.ts';
import type { Telemetry } from '../streams/telemetry/telemetry.ts';
import type { PipelineState } from './ingest/pipeline.ts';
import type { RequestLog } from './plugins/request-log.ts';

/** What is set from outside, in milliseconds and bytes. */
export interface GatewayOptions {
  readonly token: string | undefined;
  readonly secondaryTokens: readonly string[];
  /** Opens `/metrics` alone. */
  readonly metricsToken: string | undefined;
  /** `/metrics` asks for no token. */
  readonly metricsOpen: boolean;
  /** Origins whose pages may ask; none: no page of another origin. */
  readonly corsOrigins: readonly string[];
  /** Networks that are answered; none: all. */
  readonly allowedNetworks: readonly string[];
  /** 0 requests: no limit. */
  readonly rateLimit: { readonly requests: number; readonly windowMs: number };
  /** Undefined: plain HTTP. */
  readonly tls: { readonly cert: Buffer; readonly key: Buffer } | undefined;
  readonly bodyBytesMax: number;
  /** Of all bodies that are in work together. */
  readonly bodiesBytesMax: number;
  readonly searchDeadlineMs: number;
  readonly waitDeadlineMs: number;
  readonly embedDeadlineMs: number;
  readonly requestsWaitingMax: number;
  /** Events that may wait for the workers before producers are held back. */
  readonly backlogMax: number;
  /** The space of a vector that comes without one. */
  readonly defaultSpace: Space;
}

/** Where producers' documents go. */
export interface IngestLog {
  /**
   * Appends one event to `ingest.<corpus>`; calls that are made one after the other are published in that order.
   * @throws OutageError where the log is away or full
   */
  append(corpus: string, payload: Uint8Array, options: IngestAppendOptions): Promise<Appended>;
  /** The largest message that the log takes, headers included. */
  payloadBytesMax(): number;
}

export interface IngestAppendOptions {
  readonly messageId: string;
  readonly traceId: string;
  readonly traceparent: string | undefined;
}

/** What the gateway reaches out to; passed in, so that it is tested without a network. */
export interface GatewayDependencies {
  readonly client: ServiceClient;
  readonly ingestLog: IngestLog;
  /** False while the bus is away: what would only wait for its deadline is told at once. */
  readonly isConnected: () => boolean;
  /** Undefined where JetStream answers, else the reason. */
  readonly jetStreamReadiness: () => Promise<string | undefined>;
  readonly observations: Pick<ObservationReporter, 'report'>;
  readonly log: RuntimeLog;
  readonly telemetry: Telemetry;
  /** Takes one line for each request; undefined where they are not logged. */
  readonly requestLog: RequestLog | undefined;
  /** Streams that will be full before long. */
  readonly streamAlarms: () => readonly StreamAlarm[];
  /** How far the pipeline is. Throws where the log can not be asked. */
  readonly readPipeline: () => Promise<PipelineState>;
  readonly clock: Clock;
  readonly newTraceId: () => string;
  readonly newMessageId: () => string;
}
