import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createGatewayClient, type GatewayClient } from '../../gateway/client/client.ts';
import { createGateway } from '../../gateway/gateway.ts';
import { type Configuration, readConfiguration } from '../../schemas/configuration.ts';
import { systemClock } from '../../streams/clock.ts';
import { type ConnectOptions, connectLog, type LogConnection } from '../../streams/connection.ts';
import { createLogger } from '../../streams/logging.ts';
import { startObservations } from '../../streams/observations.ts';
import type { RunningWorker, WorkerProcess } from '../../streams/process.ts';
import { provisionStreams } from '../../streams/provision.ts';
import type { RoleName } from '../../streams/server/roles.ts';
import { createMetrics } from '../../streams/telemetry/metrics.ts';
import { startTracing } from '../../streams/telemetry/tracing.ts';
import { startTestServer, type TestServer } from '../../streams/testing/test-server.ts';
import { embedWorker } from '../../workers/embed/worker.ts';
import { indexWorker } from '../../workers/index/worker.ts';
import { ingestWorker } from '../../workers/ingest/worker.ts';
import { observerWorker } from '../../workers/observer/worker.ts';
import { playbookWorker } from '../../workers/playbook/worker.ts';

const workers = {
  ingest: ingestWorker,
  embed: embedWorker,
  index: indexWorker,
  playbook: playbookWorker,
  observer: observerWorker,
} as const satisfies Record<string, WorkerProcess>;
export type StackWorker = keyof typeof workers;

export interface StartedWorker {
  readonly running: RunningWorker;
  /** Stops it in order. */
  stop(): Promise<void>;
}

/** The whole system for one test: a real nats-server, every worker and the gateway, in this process. */
export interface TestStack extends AsyncDisposable {
  readonly server: TestServer;
  readonly url: string;
  readonly client: GatewayClient;
  /** As the operator. */
  readonly operator: LogConnection;
  readonly configuration: Configuration;
  /** Starts one more of a worker. */
  start(name: StackWorker): Promise<StartedWorker>;
  /** Stops what was started of a worker. */
  stop(name: StackWorker): Promise<void>;
}

export interface TestStackOptions {
  readonly environment?: Readonly<Record<string, string>>;
  readonly workers?: readonly StackWorker[];
  /** Done on the empty server, before there are streams. */
  readonly prepare?: (operator: LogConnection) => Promise<void>;
}

const clientDeadlineMs = 60_000;
const drainMs = 5_000;

/** `await using stack = await startTestStack();` */
export async function startTestStack(options: TestStackOptions = {}): Promise<TestStack> {
  const server = await startTestServer();
  const dataDirectory = await mkdtemp(join(tmpdir(), 'lakehouse-stack-'));
  const configuration = readConfiguration({
    LAKEHOUSE_DATA_DIR: dataDirectory,
    LAKEHOUSE_LOG_LEVEL: process.env.LAKEHOUSE_TEST_LOG ?? 'silent',
    LAKEHOUSE_SNAPSHOT_INTERVAL_MS: '0',
    ...options.environment,
  });
  const connectAs = (role: RoleName, name: string): ConnectOptions => {
    const { user, pass } = server.optionsFor(role);
    return { url: server.url, user, password: pass, name, clock: systemClock };
  };
  const telemetryOf = async (name: string) => ({
    metrics: createMetrics(),
    tracing: await startTracing(configuration.tracing, name, name),
  });
  const operator = await connectLog(connectAs('operator', 'test-operator'));
  await options.prepare?.(operator);
  await provisionStreams(operator, { replicas: 1, streamBytes: configuration.streamBytes });

  const started = new Map<StackWorker, StartedWorker[]>();
  const start = async (name: StackWorker): Promise<StartedWorker> => {
    const telemetry = await telemetryOf(name);
    const connection = await connectLog({ ...connectAs(name, name), telemetry });
    const observations = startObservations(connection, name);
    const instance = `${name}-${(started.get(name)?.length ?? 0) + 1}`;
    const log = createLogger(instance, configuration.logLevel);
    const running = await workers[name].start({ configuration, connection, observations, log, instance });
    let stopped = false;
    const worker: StartedWorker = {
      running,
      stop: async () => {
        if (stopped) return;
        stopped = true;
        await running.stop(drainMs);
        await observations.stop();
        await connection.drain();
        await telemetry.tracing?.stop(drainMs);
      },
    };
    started.set(name, [...(started.get(name) ?? []), worker]);
    return worker;
  };
  const stop = async (name: StackWorker) => {
    await Promise.all((started.get(name) ?? []).map((worker) => worker.stop()));
    started.delete(name);
  };
  for (const name of options.workers ?? (Object.keys(workers) as StackWorker[])) await start(name);
  const gatewayTelemetry = await telemetryOf('gateway');
  const gateway = await createGateway(
    configuration,
    { ...connectAs('gateway', 'gateway'), telemetry: gatewayTelemetry },
    createLogger('gateway', configuration.logLevel),
  );
  const url = await gateway.app.listen({ host: '127.0.0.1', port: 0 });
  return {
    server,
    url,
    operator,
    configuration,
    start,
    stop,
    client: createGatewayClient({ url, token: undefined, deadlineMs: clientDeadlineMs }),
    [Symbol.asyncDispose]: async () => {
      await gateway.close();
      await gatewayTelemetry.tracing?.stop(drainMs);
      for (const name of [...started.keys()].reverse()) await stop(name);
      await operator.drain();
      await server[Symbol.asyncDispose]();
      await rm(dataDirectory, { recursive: true, force: true });
    },
  };
}
