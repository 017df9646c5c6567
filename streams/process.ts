import { createServer, type Server } from 'node:http';
import closeWithGrace from 'close-with-grace';
import pino, { type DestinationStream, type Logger } from 'pino';
import type { StreamName } from '../schemas/catalog.ts';
import { type Configuration, ConfigurationError, readConfiguration } from '../schemas/configuration.ts';
import { systemClock } from './clock.ts';
import { connectLog, jetStreamRoundTrip, type LogConnection } from './connection.ts';
import { type ObservationReporter, startObservations } from './observations.ts';
import { checkStreams, driftSentence } from './provision.ts';

/** What every worker process is given. */
export interface ProcessContext {
  readonly configuration: Configuration;
  readonly connection: LogConnection;
  readonly log: Logger;
  readonly observations: ObservationReporter;
  /** This process among others of its kind. */
  readonly instance: string;
}

export interface RunningWorker {
  /** Undefined when ready, else what it still waits for. */
  readonly notReady: () => string | undefined;
  /** Finishes what is in flight within the time, and lets go of everything. */
  stop(drainMs: number): Promise<void>;
}

export interface WorkerProcess {
  readonly name: string;
  /** Streams that it needs: waited for at the start, and their drift is told. */
  readonly streams: readonly StreamName[];
  start(context: ProcessContext): Promise<RunningWorker>;
}

const drainMs = 10_000;
const closeDelayMs = 15_000;
const streamsWaitMs = 500;

/** Redacted wherever it would be logged. */
const secretPaths = [
  'password',
  'token',
  'authorization',
  '*.password',
  '*.token',
  '*.authorization',
  'headers.authorization',
];

export function createLogger(name: string, level: string, to: DestinationStream = process.stdout): Logger {
  // Errors are logged as `error`: without a serializer of their own they would be written as {}.
  const serializers = { error: pino.stdSerializers.err };
  return pino({ name, level, serializers, redact: { paths: secretPaths, censor: '[secret]' } }, to);
}

/**
 * Runs a worker as a process: configuration, log, connection, health endpoints, and a drain in bounded time when it is
 * told to stop. `/healthz` says that the process lives; `/readyz` asks JetStream, and the worker whether it caught up.
 */
export async function runWorkerProcess(worker: WorkerProcess): Promise<void> {
  const configuration = configurationOrExit();
  const log = createLogger(worker.name, configuration.logLevel);
  const { nats, health } = configuration;
  const connection = await connectLog({
    ...nats,
    name: `lakehouse-${worker.name}`,
    clock: systemClock,
    waitForServer: true,
    onStatus: (status, detail) => log.debug({ status, detail }, 'connection'),
  });
  const instance = configuration.instance ?? `${worker.name}-${process.pid}`;
  const observations = startObservations(connection, worker.name);
  let running: RunningWorker | undefined;
  const server = await startHealthServer(health, connection, () =>
    running === undefined ? 'the worker is starting' : running.notReady(),
  );
  closeWithGrace(
    { delay: closeDelayMs, logger: { error: (...parts: unknown[]) => log.error({ parts }, 'closing') } },
    async ({ err, signal }) => {
      if (err) log.error({ error: err }, 'stopping after an error that nobody caught');
      else log.info({ signal }, 'stopping');
      await running?.stop(drainMs);
      await observations.stop();
      await connection.drain();
      server.close();
      log.info({}, 'stopped');
    },
  );
  await waitForStreams(connection, worker, configuration, log);
  running = await worker.start({ configuration, connection, log, observations, instance });
  log.info({ instance }, 'started');
}

/** The configuration of the environment; what is wrong with it is told and ends the process with code 2. */
export function configurationOrExit(): Configuration {
  try {
    return readConfiguration(process.env);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(2);
  }
}

/** Streams are made by `lakehouse provision`; a worker that is there earlier waits, and says for what. */
async function waitForStreams(
  connection: LogConnection,
  worker: WorkerProcess,
  configuration: Configuration,
  log: Logger,
): Promise<void> {
  const options = { replicas: configuration.nats.replicas, streamBytes: configuration.streamBytes };
  for (let said = false; ; said = true) {
    const checked = await checkStreams(connection, options, worker.streams).catch((error: unknown) => {
      log.warn({ error }, 'JetStream does not answer yet');
      return undefined;
    });
    if (checked !== undefined && checked.missing.length === 0) {
      for (const drift of checked.drift) log.warn({ drift }, driftSentence(drift));
      return;
    }
    if (!said) log.info({ missing: checked?.missing }, 'waiting for streams; "lakehouse provision" makes them');
    await connection.clock.sleep(streamsWaitMs);
  }
}

export interface HealthAddress {
  readonly host: string;
  readonly port: number;
}

/** Serves `/healthz` and `/readyz` of one process. */
export async function startHealthServer(
  address: HealthAddress,
  connection: LogConnection,
  notReady: () => string | undefined,
): Promise<Server> {
  const server = createServer((request, response) => {
    const answer = (status: number, body: object) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(body));
    };
    if (request.url === '/healthz') return answer(200, { status: 'ok' });
    if (request.url !== '/readyz') return answer(404, { status: 'not found' });
    readiness(connection, notReady).then(
      (reason) =>
        reason === undefined ? answer(200, { status: 'ready' }) : answer(503, { status: 'not ready', reason }),
      (error: unknown) => answer(503, { status: 'not ready', reason: String(error) }),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(address.port, address.host, resolve);
  });
  return server;
}

/** Undefined when ready, else the reason: a store that hangs answers no round trip while its process looks healthy. */
export async function readiness(
  connection: LogConnection,
  notReady: () => string | undefined,
): Promise<string | undefined> {
  const reason = notReady();
  if (reason !== undefined) return reason;
  try {
    await jetStreamRoundTrip(connection);
    return undefined;
  } catch (error) {
    return `JetStream does not answer: ${error instanceof Error ? error.message : String(error)}`;
  }
}
