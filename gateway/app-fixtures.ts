import type { FastifyInstance } from 'fastify';
import type { Appended } from '../streams/append.ts';
import type { Operation } from '../streams/observations.ts';
import type { RequestOptions, ServiceReply } from '../streams/service-client.ts';
import { quietTelemetry } from '../streams/telemetry/telemetry.ts';
import { buildApp } from './app.ts';
import type { GatewayDependencies, GatewayOptions, IngestAppendOptions } from './dependencies.ts';
import type { PipelineState } from './ingest/pipeline.ts';
import type { RequestLine } from './plugins/request-log.ts';

/** What a service was asked through the gateway. */
export interface Asked {
  readonly subject: string;
  readonly body: Uint8Array;
  readonly options: RequestOptions;
}

/** What the log was given through the gateway, in the order of the calls. */
export interface AppendedEvent extends IngestAppendOptions {
  readonly corpus: string;
  readonly payload: string;
}

export interface TestGateway {
  readonly app: FastifyInstance;
  readonly asked: Asked[];
  readonly appended: AppendedEvent[];
  readonly operations: Operation[];
  readonly logged: object[];
  readonly requestLines: RequestLine[];
}

export interface TestGatewayOptions {
  readonly options?: Partial<GatewayOptions>;
  readonly dependencies?: Partial<GatewayDependencies>;
  readonly answer?: (asked: Asked) => ServiceReply | Promise<ServiceReply>;
  readonly append?: (event: AppendedEvent, sequence: number) => Promise<Appended>;
  readonly payloadBytesMax?: number;
}

export function reply(status: number, body: unknown, headers: Record<string, string> = {}): ServiceReply {
  return { status, headers, body: Buffer.from(JSON.stringify(body), 'utf8') };
}

/** Nothing waits, and nothing is nearly full. */
export const idlePipeline: PipelineState = {
  ingest: { lastSequence: 0, workedTo: 0, pending: 0 },
  embed: { lastSequence: 0, workedTo: 0, pending: 0 },
  vectors: { lastSequence: 0, foldedTo: 0 },
  fullest: { stream: 'INGEST', share: 0 },
};

export const testOptions: GatewayOptions = {
  token: undefined,
  secondaryTokens: [],
  metricsToken: undefined,
  metricsOpen: false,
  corsOrigins: [],
  allowedNetworks: [],
  rateLimit: { requests: 0, windowMs: 60_000 },
  tls: undefined,
  bodyBytesMax: 4_096,
  bodiesBytesMax: 64 * 1024 * 1024,
  searchDeadlineMs: 1_000,
  waitDeadlineMs: 2_000,
  embedDeadlineMs: 3_000,
  requestsWaitingMax: 100,
  backlogMax: 1_000,
  defaultSpace: { model: 'mine', dimension: 3, prefixScheme: 'none' },
};

/** A gateway whose ports are answered by the test. Sequences count from 1, and time stands still. */
export function testGateway(given: TestGatewayOptions = {}): TestGateway {
  const asked: Asked[] = [];
  const appended: AppendedEvent[] = [];
  const operations: Operation[] = [];
  const logged: object[] = [];
  const requestLines: RequestLine[] = [];
  const telemetry = quietTelemetry();
  const note = (fields: object) => void logged.push(fields);
  let ids = 0;
  const dependencies: GatewayDependencies = {
    client: {
      request: async (subject, body, options) => {
        const one = { subject, body, options };
        asked.push(one);
        return (given.answer ?? (() => reply(200, {})))(one);
      },
      waiting: () => 0,
      close: () => undefined,
    },
    ingestLog: {
      append: async (corpus, payload, options) => {
        const event = { corpus, payload: Buffer.from(payload).toString('utf8'), ...options };
        appended.push(event);
        const sequence = appended.length;
        return (given.append ?? (async () => ({ sequence, duplicate: false })))(event, sequence);
      },
      payloadBytesMax: () => given.payloadBytesMax ?? 1_000_000,
    },
    isConnected: () => true,
    jetStreamReadiness: async () => undefined,
    observations: { report: (operation) => void operations.push(operation) },
    log: { debug: () => undefined, info: note, warn: note, error: note },
    telemetry,
    requestLog: (line) => void requestLines.push(line),
    streamAlarms: () => [],
    readPipeline: async () => idlePipeline,
    clock: { nowMs: () => 0, monotonicMs: () => 0, sleep: async () => undefined },
    newTraceId: () => `trace-${++ids}`,
    newMessageId: () => `message-${++ids}`,
    ...given.dependencies,
  };
  const app = buildApp({ ...testOptions, ...given.options }, dependencies);
  return { app, asked, appended, operations, logged, requestLines };
}
