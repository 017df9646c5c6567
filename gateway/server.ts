import { randomUUID } from 'node:crypto';
import closeWithGrace from 'close-with-grace';
import { type Configuration, ConfigurationError } from '../schemas/configuration.ts';
import { appendBytes, nextMessageId } from '../streams/append.ts';
import { systemClock } from '../streams/clock.ts';
import { connectLog, type LogConnection } from '../streams/connection.ts';
import { startObservations } from '../streams/observations.ts';
import { configurationOrExit, createLogger, readiness } from '../streams/process.ts';
import { createServiceClient } from '../streams/service-client.ts';
import { subjectOf } from '../streams/subjects.ts';
import { buildApp } from './app.ts';
import { assertBindAllowed } from './bind.ts';
import type { GatewayOptions, IngestLog } from './dependencies.ts';

const closeDelayMs = 15_000;
const exitMisconfigured = 2;
const exitNotBound = 1;

await main();

/** Runs the gateway as a process, until it is told to stop: then what was begun is answered, in bounded time. */
async function main(): Promise<void> {
  const configuration = configurationOrExit();
  const { host, port } = configuration.gateway;
  refuseOpenBind(configuration);
  const log = createLogger('gateway', configuration.logLevel);
  let connected = true;
  const connection = await connectLog({
    ...configuration.nats,
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
  const app = buildApp(gatewayOptions(configuration), {
    client,
    observations,
    log,
    clock: systemClock,
    ingestLog: ingestLogOn(connection),
    isConnected: () => connected && !connection.nats.isClosed(),
    jetStreamReadiness: () => readiness(connection, () => undefined),
    newTraceId: randomUUID,
    newMessageId: nextMessageId,
  });
  const letGo = async () => {
    client.close();
    await observations.stop();
    await connection.drain();
  };
  closeWithGrace(
    { delay: closeDelayMs, logger: { error: (...parts: unknown[]) => log.error({ parts }, 'closing') } },
    async ({ err, signal }) => {
      if (err) log.error({ error: err }, 'stopping after an error that nobody caught');
      else log.info({ signal }, 'stopping');
      await app.close();
      await letGo();
      log.info({}, 'stopped');
    },
  );
  try {
    await app.listen({ host, port });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    process.stderr.write(
      `the gateway can not listen on ${host}:${port} (LAKEHOUSE_GATEWAY_HOST, LAKEHOUSE_GATEWAY_PORT): ${reason}\n`,
    );
    await letGo();
    process.exit(exitNotBound);
  }
  log.info({ addresses: app.addresses() }, 'started');
}

function refuseOpenBind({ gateway }: Configuration): void {
  try {
    assertBindAllowed(gateway.host, gateway.token ?? gateway.secondaryTokens[0]);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(exitMisconfigured);
  }
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
