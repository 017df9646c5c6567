import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createGatewayClient, type GatewayClient } from '../../gateway/client/client.ts';
import { systemClock } from '../../streams/clock.ts';
import { connectLog, type LogConnection } from '../../streams/connection.ts';
import { provisionStreams } from '../../streams/provision.ts';
import { findFreePort } from '../../streams/server/ports.ts';
import type { RoleName } from '../../streams/server/roles.ts';
import { provisionCluster, startTestCluster, type TestCluster } from '../../streams/testing/test-cluster.ts';
import { startTestServer, type TestServer, type TestServerOptions } from '../../streams/testing/test-server.ts';
import type { TopologyOptions } from '../../streams/topology.ts';
import { distDirectory } from '../command/paths.ts';
import { flagsOf } from '../stack/plan.ts';
import { mutantEnvironment } from './mutants.ts';
import { type ChaosProcess, createChaosProcess } from './process.ts';

type WorkerRole = 'ingest' | 'embed' | 'index' | 'playbook' | 'observer';
/** `index`, or `index-2` for one more of it. */
export type ChaosProcessName = WorkerRole | `${WorkerRole}-${number}` | 'gateway' | `gateway-${number}`;

/** Documents bring vectors of so many dimensions: small, so that no embedder sets the pace. */
export const ownDimension = 32;
export const ownSpace = `own@${ownDimension}`;

/** The configured model is one that nobody serves: what brings its own vector never asks for it. */
export const ownVectorsEnvironment: Readonly<Record<string, string>> = {
  LAKEHOUSE_EMBEDDER: 'ollama',
  LAKEHOUSE_OLLAMA_MODEL: 'own',
  LAKEHOUSE_OLLAMA_DIMENSION: String(ownDimension),
  OLLAMA_HOST: 'http://127.0.0.1:9',
};

export interface ChaosStackOptions {
  /** The scratch folder of the run. */
  readonly directory: string;
  /** Started at once, the gateway always. Default: ingest, embed, index. */
  readonly processes?: readonly ChaosProcessName[];
  /** For every process; over `ownVectorsEnvironment` and a quiet default. */
  readonly environment?: Readonly<Record<string, string>>;
  /** For one process. */
  readonly environments?: Readonly<Partial<Record<ChaosProcessName, Readonly<Record<string, string>>>>>;
  /** A mutant of `mutants.ts` that every process loads; undefined for none. */
  readonly mutant?: string | undefined;
  /** What a killed process had taken comes again within seconds and not after a minute, and its leases end as soon. */
  readonly shortWaits?: boolean;
  readonly server?: TestServerOptions;
  /** Three nodes in place of one server; every stream on all of them, unless `topology` says otherwise. */
  readonly cluster?: boolean;
  readonly topology?: Partial<TopologyOptions>;
  /** Done on the empty server and the empty data directory, before there are streams. */
  readonly prepare?: (operator: LogConnection, dataDirectory: string) => Promise<void>;
}

/** The whole system as processes of its own, from what is compiled, each of which can be killed, paused and started. */
export interface ChaosStack extends AsyncDisposable {
  /** The first node, where there are several. */
  readonly server: TestServer;
  /** Undefined where one server is alone. */
  readonly cluster: TestCluster | undefined;
  readonly url: string;
  readonly client: GatewayClient;
  /** As the operator. */
  readonly operator: LogConnection;
  readonly dataDirectory: string;
  /** @throws Error where it was never started */
  of(name: ChaosProcessName): ChaosProcess;
  all(): readonly ChaosProcess[];
  /** Where a process answers `/readyz` and `/metrics`; the gateway everything. */
  urlOf(name: ChaosProcessName): string;
  /** Starts one more, and waits until it is ready. */
  add(name: ChaosProcessName, environment?: Readonly<Record<string, string>>): Promise<ChaosProcess>;
  /** The environment in which a process speaks to this log as a role. */
  environmentOf(role: RoleName): Record<string, string>;
  connectAs(role: RoleName): Promise<LogConnection>;
}

const clientDeadlineMs = 60_000;

/** `await using stack = await startChaosStack({ directory })`; disposing ends everything. */
export async function startChaosStack(options: ChaosStackOptions): Promise<ChaosStack> {
  const { directory, processes = ['ingest', 'embed', 'index'], shortWaits = false } = options;
  const everywhere = shortWaits ? 'short-waits' : undefined;
  const mutant = [everywhere, options.mutant].filter((name) => name !== undefined).join(',') || undefined;
  const dataDirectory = join(directory, 'data');
  await mkdir(dataDirectory, { recursive: true });
  const cluster = options.cluster === true ? await startTestCluster() : undefined;
  const server = cluster?.nodes[0] ?? (await startTestServer(options.server));
  const log = cluster ?? server;
  const connections: LogConnection[] = [];
  const started = new Map<string, ChaosProcess>();
  const dispose = async () => {
    await Promise.all([...started.values()].map((one) => one.kill9()));
    await Promise.all(connections.map(({ nats }) => nats.close()));
    await log[Symbol.asyncDispose]();
  };
  const connectAs = async (role: RoleName) => {
    const { servers, user, pass: password } = log.optionsFor(role);
    const connection = await connectLog({ url: servers, user, password, name: `chaos-${role}`, clock: systemClock });
    connections.push(connection);
    return connection;
  };
  const environmentOf = (role: RoleName) => {
    const { servers, user, pass } = log.optionsFor(role);
    return {
      ...ownVectorsEnvironment,
      LAKEHOUSE_NATS_URL: servers,
      LAKEHOUSE_NATS_USER: user,
      LAKEHOUSE_NATS_PASSWORD: pass,
      LAKEHOUSE_DATA_DIR: dataDirectory,
      LAKEHOUSE_SNAPSHOT_INTERVAL_MS: '0',
      LAKEHOUSE_REQUEST_LOG: 'false',
      ...(cluster === undefined
        ? {}
        : { LAKEHOUSE_REPLICAS: String(options.topology?.replicas ?? cluster.nodes.length) }),
      ...mutantEnvironment(everywhere),
      ...options.environment,
    };
  };
  const urls = new Map<string, string>();
  const add = async (name: ChaosProcessName, environment: Readonly<Record<string, string>> = {}) => {
    const role = name.replace(/-\d+$/, '') as WorkerRole | 'gateway';
    const port = String(await findFreePort());
    const url = `http://127.0.0.1:${port}`;
    const isGateway = role === 'gateway';
    const script = isGateway ? ['gateway', 'server.js'] : ['workers', role, 'main.js'];
    const one = createChaosProcess({
      name,
      command: process.execPath,
      args: ['--enable-source-maps', ...flagsOf(role), join(distDirectory(), ...script)],
      environment: {
        ...environmentOf(role),
        ...mutantEnvironment(mutant),
        LAKEHOUSE_INSTANCE: name,
        [isGateway ? 'LAKEHOUSE_GATEWAY_PORT' : 'LAKEHOUSE_HEALTH_PORT']: port,
        ...options.environments?.[name],
        ...environment,
      },
      readyUrl: `${url}/readyz`,
      logFile: join(directory, `${name}.log`),
    });
    started.set(name, one);
    urls.set(name, url);
    await one.start();
    await one.untilReady();
    return one;
  };
  try {
    const operator = await connectAs('operator');
    await options.prepare?.(operator, dataDirectory);
    const topology = { replicas: cluster?.nodes.length ?? 1, streamBytes: {}, ...options.topology };
    await (cluster === undefined ? provisionStreams : provisionCluster)(operator, topology);
    await Promise.all(processes.map((name) => add(name)));
    await add('gateway');
    const url = urls.get('gateway') ?? '';
    return {
      server,
      cluster,
      url,
      operator,
      dataDirectory,
      client: createGatewayClient({ url, token: undefined, deadlineMs: clientDeadlineMs }),
      of: (name) => {
        const one = started.get(name);
        if (one === undefined) throw new Error(`the process "${name}" was never started`);
        return one;
      },
      all: () => [...started.values()],
      urlOf: (name) => urls.get(name) ?? '',
      add,
      environmentOf,
      connectAs,
      [Symbol.asyncDispose]: dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}
