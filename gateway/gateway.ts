import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { FastifyInstance } from 'fastify';
import { type Configuration, ConfigurationError } from '../schemas/configuration.ts';
import { appendBytes, nextMessageId } from '../streams/append.ts';
import type { Clock } from '../streams/clock.ts';
import { type ConnectOptions, connectLog, type LogConnection } from '../streams/connection.ts';
import { readiness } from '../streams/health-server.ts';
import type { RuntimeLog } from '../streams/logger.ts';
import { startObservations } from '../streams/observations.ts';
import { tellOfBus } from '../streams/process.ts';
import { createServiceClient } from '../streams/service-client.ts';
import { watchStreams } from '../streams/stream-watch.ts';
import { subjectOf } from '../streams/subjects.ts';
import { buildApp } from './app.ts';
import type { GatewayOptions, IngestLog } from './dependencies.ts';
import { readPipeline } from './ingest/read-pipeline.ts';
import type { RequestLog } from './plugins/request-log.ts';

/** What is in work gets so long to be answered when the gateway closes. */
const drainMs = 10_000;
/** Then answers get so long to leave, and connections that only send are cut. */
const leaveMs = 1_000;

export interface Gateway {
  /** Not listening yet. */
  readonly app: FastifyInstance;
  /** Answers what was begun, within `drainMs`, and lets go of the bus. */
  close(): Promise<void>;
}

/** Wires the HTTP app to the bus. @throws ConfigurationError where the files of its certificate can not be read */
export async function createGateway(
  configuration: Configuration,
  connect: ConnectOptions,
  log: RuntimeLog,
  requestLog?: RequestLog,
): Promise<Gateway> {
  const options = gatewayOptions(configuration);
  const onStatus = (status: string, detail: string) => log.debug({ status, detail }, 'connection');
  const connection = await connectLog({ ...connect, onStatus });
  const client = createServiceClient(connection);
  const observations = startObservations(connection, 'gateway');
  const streams = watchStreams(connection, log);
  tellOfBus(connection);
  const app = buildApp(options, {
    client,
    observations,
    log,
    clock: connection.clock,
    ingestLog: ingestLogOn(connection),
    isConnected: connection.isConnected,
    jetStreamReadiness: () => readiness(connection, () => undefined),
    newTraceId: randomUUID,
    telemetry: connection.telemetry,
    requestLog,
    streamAlarms: streams.alarms,
    readPipeline: () => readPipeline(connection, client),
    newMessageId: nextMessageId,
  });
  const letGo = async () => {
    client.close();
    streams.stop();
    await observations.stop();
    await connection.drain();
  };
  return { app, close: () => drain(app, letGo, connection.clock) };
}

/** Answers what is in work; what still waits for a service when the time is over is told that nobody asks any more. */
async function drain(app: FastifyInstance, letGo: () => Promise<void>, clock: Clock): Promise<void> {
  const answered = new AbortController();
  // A connection whose last answer has left would be held for the next request, which is not taken any more.
  app.server.keepAliveTimeout = 1;
  const closed = app.close().finally(() => answered.abort());
  await clock.sleep(drainMs, answered.signal);
  await letGo();
  await clock.sleep(leaveMs, answered.signal);
  app.server.closeAllConnections();
  await closed;
}

function gatewayOptions({ gateway, embedder, metrics }: Configuration): GatewayOptions {
  const { tlsFiles } = gateway;
  const tls =
    tlsFiles === undefined
      ? undefined
      : {
          cert: readFileOf('LAKEHOUSE_TLS_CERT_FILE', tlsFiles.cert),
          key: readFileOf('LAKEHOUSE_TLS_KEY_FILE', tlsFiles.key),
        };
  const { token: metricsToken, open: metricsOpen } = metrics;
  return {
    ...gateway,
    metricsToken,
    metricsOpen,
    tls,
    embedDeadlineMs: embedder.deadlineMs,
    defaultSpace: embedder.space,
  };
}

function readFileOf(variable: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new ConfigurationError(`${variable}: ${error instanceof Error ? error.message : error}`);
  }
}

function ingestLogOn(connection: LogConnection): IngestLog {
  return {
    append: (corpus, payload, options) =>
      appendBytes(connection, subjectOf('lakehouse.ingest', { corpus }), payload, options),
    // Unknown while the server is away; then nothing is appended anyway.
    payloadBytesMax: () => connection.nats.info?.max_payload ?? Number.POSITIVE_INFINITY,
  };
}
