import { randomUUID } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import type { Configuration } from '../schemas/configuration.ts';
import { appendBytes, nextMessageId } from '../streams/append.ts';
import { type ConnectOptions, connectLog, type LogConnection } from '../streams/connection.ts';
import type { RuntimeLog } from '../streams/logger.ts';
import { startObservations } from '../streams/observations.ts';
import { readiness } from '../streams/process.ts';
import { createServiceClient } from '../streams/service-client.ts';
import { subjectOf } from '../streams/subjects.ts';
import { buildApp } from './app.ts';
import type { GatewayOptions, IngestLog } from './dependencies.ts';

export interface Gateway {
  /** Not listening yet. */
  readonly app: FastifyInstance;
  /** Answers what was begun, and lets go of the bus. */
  close(): Promise<void>;
}

/** Wires the HTTP app to the bus. */
export async function createGateway(
  configuration: Configuration,
  connect: ConnectOptions,
  log: RuntimeLog,
): Promise<Gateway> {
  let connected = true;
  const connection = await connectLog({
    ...connect,
    onStatus: (status, detail) => {
      if (status === 'disconnect') connected = false;
      if (status === 'reconnect') connected = true;
      log.debug({ status, detail }, 'connection');
    },
  });
  const client = createServiceClient(connection);
  const observations = startObservations(connection, 'gateway');
  const app = buildApp(gatewayOptions(configuration), {
    client,
    observations,
    log,
    clock: connection.clock,
    ingestLog: ingestLogOn(connection),
    isConnected: () => connected && !connection.nats.isClosed(),
    jetStreamReadiness: () => readiness(connection, () => undefined),
    newTraceId: randomUUID,
    newMessageId: nextMessageId,
  });
  return {
    app,
    close: async () => {
      await app.close();
      client.close();
      await observations.stop();
      await connection.drain();
    },
  };
}

function gatewayOptions({ gateway, embedder }: Configuration): GatewayOptions {
  return { ...gateway, embedDeadlineMs: embedder.deadlineMs, defaultSpace: embedder.space };
}

function ingestLogOn(connection: LogConnection): IngestLog {
  return {
    append: (corpus, payload, options) =>
      appendBytes(connection, subjectOf('lakehouse.ingest', { corpus }), payload, options),
    payloadBytesMax: () => connection.nats.info?.max_payload ?? Number.POSITIVE_INFINITY,
  };
}
