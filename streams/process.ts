import closeWithGrace from 'close-with-grace';
import type { Logger } from 'pino';
import type { StreamName } from '../schemas/catalog.ts';
import { type Configuration, ConfigurationError, readConfiguration } from '../schemas/configuration.ts';
import { systemClock } from './clock.ts';
import { connectLog, type LogConnection } from './connection.ts';
import { startHealthServer } from './health-server.ts';
import { createLogger } from './logging.ts';
import { type ObservationReporter, startObservations } from './observations.ts';
import { checkStreams, driftSentence } from './provision.ts';
import { stallSentence } from './stalls.ts';
import { readGauge } from './telemetry/metrics.ts';
import { processTelemetry } from './telemetry/telemetry.ts';
import { startTracing } from './telemetry/tracing.ts';

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
/** The last spans are told within this; an exporter that does not answer holds nobody up longer. */
export const tracingStopMs = 1_000;

/**
 * Runs a worker as a process: configuration, log, connection, health endpoints, and a drain in bounded time when it is
 * told to stop. `/healthz` says that the process lives; `/readyz` asks JetStream, and the worker whether it caught up.
 */
export async function runWorkerProcess(worker: WorkerProcess): Promise<void> {
  const configuration = configurationOrExit();
  const log = createLogger(worker.name, configuration.logLevel);
  const { nats, health, metrics } = configuration;
  const instance = configuration.instance ?? `${worker.name}-${process.pid}`;
  const telemetry = processTelemetry(await startTracing(configuration.tracing, worker.name, instance));
  const connection = await connectLog({
    ...nats,
    name: `lakehouse-${worker.name}`,
    clock: systemClock,
    telemetry,
    waitForServer: true,
    onStatus: (status, detail) => log.debug({ status, detail }, 'connection'),
  });
  tellOfBus(connection);
  const observations = startObservations(connection, worker.name);
  observeStalls(connection, observations);
  let running: RunningWorker | undefined;
  const notReady = () =>
    running === undefined ? 'the worker is starting' : (running.notReady() ?? stalled(connection));
  const server = await startHealthServer(health, connection, notReady, metrics);
  closeWithGrace(
    { delay: closeDelayMs, logger: { error: (...parts: unknown[]) => log.error({ parts }, 'closing') } },
    async ({ err, signal }) => {
      if (err) log.error({ error: err }, 'stopping after an error that nobody caught');
      else log.info({ signal }, 'stopping');
      await running?.stop(drainMs);
      await observations.stop();
      await connection.drain();
      await telemetry.tracing?.stop(tracingStopMs);
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

/** Each stall as an observation, under an endpoint of its own. */
export function observeStalls({ stalls }: LogConnection, observations: ObservationReporter): void {
  stalls.watch((stall) => {
    const endpoint = `stall ${stall.stream} ${stall.consumer}`;
    observations.report({ endpoint, success: false, duration_ms: stall.stalledMs, error: stallSentence(stall) });
  });
}

/** The first stall that lasts, in words; undefined where everything moves. */
function stalled({ stalls }: LogConnection): string | undefined {
  const [stall] = stalls.current();
  return stall === undefined ? undefined : stallSentence(stall);
}

/** Whether the bus is there, as a metric. */
export function tellOfBus({ telemetry, isConnected }: LogConnection): void {
  readGauge(telemetry.metrics, {
    name: 'lakehouse_bus_connected',
    help: '1 while this process has its connection to the bus',
    read: () => (isConnected() ? 1 : 0),
  });
}
