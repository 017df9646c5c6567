import { randomUUID } from 'node:crypto';
import { appendBytes, nextMessageId } from '../streams/append.ts';
import { systemClock } from '../streams/clock.ts';
import { type ConnectOptions, connectLog, type LogConnection } from '../streams/connection.ts';
import type { RuntimeLog } from '../streams/logger.ts';
import { startObservations } from '../streams/observations.ts';
import { readiness } from '../streams/process.ts';
import { createServiceClient } from '../streams/service-client.ts';
import { subjectOf } from '../streams/subjects.ts';
import type { GatewayDependencies, IngestLog } from './dependencies.ts';

export interface GatewayPorts {
  readonly dependencies: GatewayDependencies;
  /** Tells what was observed, and lets go of the bus. */
  close(): Promise<void>;
}

/** Connects the gateway to the bus, and waits for a server that is not there yet. */
export async function connectPorts(
  bus: Pick<ConnectOptions, 'url' | 'user' | 'password'>,
  log: RuntimeLog,
): Promise<GatewayPorts> {
  let connected = true;
  const connection = await connectLog({
    ...bus,
    name: 'lakehouse-gateway',
    clock: systemClock,
    waitForServer: true,
    onStatus: (status, detail) => {
      if (status === 'disconnect') connected = false;
      if (status === 'reconnect') connected = true;
      log.debug({ status, detail }, 'connection');
    },
  });
  const client = createServiceClient(connection);
  const observations = startObservations(connection, 'gateway');
  return {
    dependencies: {
      client,
      observations,
      log,
      clock: systemClock,
      ingestLog: ingestLogOn(connection),
      isConnected: () => connected && !connection.nats.isClosed(),
      jetStreamReadiness: () => readiness(connection, () => undefined),
      newTraceId: randomUUID,
      newMessageId: nextMessageId,
    },
    close: async () => {
      client.close();
      await observations.stop();
      await connection.drain();
    },
  };
}

function ingestLogOn(connection: LogConnection): IngestLog {
  return {
    append: (corpus, payload, options) =>
      appendBytes(connection, subjectOf('lakehouse.ingest', { corpus }), payload, options),
    // Unknown while the server is away; then nothing is appended anyway.
    payloadBytesMax: () => connection.nats.info?.max_payload ?? Number.POSITIVE_INFINITY,
  };
}
