import { join } from 'node:path';
import { type RoleConnection, roleConnection, type ServerCredentials } from '../../streams/server/credentials.ts';
import type { PreparedServer } from '../../streams/server/launch.ts';
import type { RoleName } from '../../streams/server/roles.ts';
import { serverRuntime } from './server-runtime.ts';

export const workerNames = ['ingest', 'embed', 'index', 'playbook', 'observer'] as const;
export type StackWorker = (typeof workerNames)[number];

export const instancesMax = 16;

const nodeFlags = ['--enable-source-maps'];
/**
 * A heap may grow to three times what is live before V8 collects all of it. Left alone, it allows a heap that may become
 * 4 GiB four times that: resident memory that swings by 60 MiB and more. And it allows a small one of a quick program 8 MiB
 * more, and begins to collect when no more is left than a new generation takes, 16 MiB: with twice what is live that is at
 * once. While documents come in that is such a collection every few seconds in each process, which takes 20 to 30 ms of
 * two processors, as long as one search in a hundred may take. None comes near 1 GiB. The index worker holds its
 * documents in its heap, however many they are.
 */
const boundedHeapFlags = ['--max-old-space-size=1024', '--heap-growing-percent=200'];
/**
 * Room from the first request on for what lives as long as one, so that it is not promoted and collected late. With
 * twice as much, what it holds outside the heap gathers until it brings on collections of everything.
 */
const requestFlags = ['--min-semi-space-size=16', '--max-semi-space-size=16'];

/** How many of each run: the observer writes files and the playbook worker decides alone, so they are one each. */
export type Instances = Readonly<Record<'ingest' | 'embed' | 'index', number>>;

/** One nats-server, on the port where clients reach it. */
export interface PlannedServer {
  readonly prepared: PreparedServer;
  readonly port: number;
}

type Environment = Readonly<Record<string, string>>;

/** One process of the stack: what is started, and where it tells that it is ready. */
export interface PlannedProcess {
  readonly name: string;
  readonly dependsOn: readonly string[];
  /** How many of those have to be ready; all, unless given. */
  readonly dependenciesMin?: number;
  readonly command: string;
  readonly args: readonly string[];
  /** Laid over the environment of whoever starts it. */
  readonly environment: Environment;
  /** nats-server's own port, the gateway's own, of a worker that of its health endpoints. */
  readonly port: number;
  /** Where `/healthz` and `/readyz` are answered; null for nats-server, which is asked in its own way. */
  readonly healthUrl: string | null;
}

export interface PlanOptions {
  readonly dataDirectory: string;
  /** The folder of the compiled sources. */
  readonly distDirectory: string;
  /** One, or the nodes of a cluster. */
  readonly servers: readonly PlannedServer[];
  /** One gateway on each port. */
  readonly gateway: { readonly host: string; readonly ports: readonly number[] };
  readonly instances: Instances;
  readonly credentials: ServerCredentials;
  /** Laid over the environment for every process: what flags decided. */
  readonly environment: Environment;
  /** Free ports of this machine, one for each worker process. */
  readonly healthPorts: readonly number[];
}

export const serverName = 'nats-server';
export const gatewayName = 'gateway';
/** Secrets that only the gateway is given; an empty value reads as none. */
const withoutGatewaySecrets = { LAKEHOUSE_TOKEN: '', LAKEHOUSE_SECONDARY_TOKENS: '' };
/** Only the index worker is given the object store and its keys. */
const withoutObjectStore = {
  LAKEHOUSE_OBJECT_STORE: '',
  AWS_ACCESS_KEY_ID: '',
  AWS_ACCESS_KEY_ID_FILE: '',
  AWS_SECRET_ACCESS_KEY: '',
  AWS_SECRET_ACCESS_KEY_FILE: '',
  AWS_SESSION_TOKEN: '',
  AWS_SESSION_TOKEN_FILE: '',
};

/** How many worker processes there are. */
export function workerCount(instances: Instances): number {
  return workerNames.reduce((sum, worker) => sum + countOf(worker, instances), 0);
}

function countOf(worker: StackWorker, instances: Instances): number {
  return worker === 'playbook' || worker === 'observer' ? 1 : instances[worker];
}

/** Servers that together decide: the log lives while as many do. */
export function quorumOf(nodes: number): number {
  return Math.floor(nodes / 2) + 1;
}

/** What `up` starts, in the order in which it is listed: the log, everything that works on it, the gateways. */
export function planStack(options: PlanOptions): PlannedProcess[] {
  const { servers, gateway, instances } = options;
  const names = workerNames.flatMap((worker) =>
    instanceNames(worker, countOf(worker, instances)).map((name) => ({ worker, name })),
  );
  const gatewayNames = instanceNames(gatewayName, gateway.ports.length);
  return [
    ...serverNames(servers.length).map((name, at) => planServer(name, servers[at])),
    ...names.map(({ worker, name }, at) => planWorker(worker, name, options.healthPorts[at] ?? 0, options)),
    ...gateway.ports.map((port, at) => planGateway(gatewayNames[at] ?? gatewayName, port, options)),
  ];
}

function planServer(name: string, server: PlannedServer | undefined): PlannedProcess {
  return {
    name,
    dependsOn: [],
    command: server?.prepared.command ?? '',
    args: server?.prepared.args ?? [],
    environment: { ...serverRuntime(), ...withoutGatewaySecrets, ...withoutObjectStore },
    port: server?.port ?? 0,
    healthUrl: null,
  };
}

function planGateway(name: string, port: number, options: PlanOptions): PlannedProcess {
  const { host } = options.gateway;
  return {
    ...planned(name, join('gateway', 'server.js'), options, flagsOf(gatewayName)),
    environment: {
      ...options.environment,
      ...withoutObjectStore,
      ...commonEnvironment('gateway', name, options),
      LAKEHOUSE_GATEWAY_HOST: host,
      LAKEHOUSE_GATEWAY_PORT: String(port),
    },
    port,
    healthUrl: gatewayUrlOf({ host, port }),
  };
}

/** The names of the nodes, in their order. */
export function serverNames(nodes: number): string[] {
  return instanceNames(serverName, nodes);
}

/** `index` where there is one, `index-1` and `index-2` where there are two. */
function instanceNames(kind: string, count: number): string[] {
  return Array.from({ length: count }, (_, at) => (count === 1 ? kind : `${kind}-${at + 1}`));
}

/** Whether a process is one of several of a kind, or the only one: `index-2` is an `index`. */
export function isNamed(name: string, kind: string): boolean {
  return name === kind || (name.startsWith(`${kind}-`) && /^\d+$/.test(name.slice(kind.length + 1)));
}

/** Where this machine reaches a gateway that listens on a host and port. */
export function gatewayUrlOf({ host, port }: { readonly host: string; readonly port: number }): string {
  const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`;
}

function planWorker(worker: StackWorker, name: string, healthPort: number, options: PlanOptions): PlannedProcess {
  return {
    ...planned(name, join('workers', worker, 'main.js'), options, flagsOf(worker)),
    environment: {
      ...options.environment,
      ...withoutGatewaySecrets,
      ...(worker === 'index' ? {} : withoutObjectStore),
      ...commonEnvironment(worker, name, options),
      LAKEHOUSE_HEALTH_HOST: '127.0.0.1',
      LAKEHOUSE_HEALTH_PORT: String(healthPort),
    },
    port: healthPort,
    healthUrl: `http://127.0.0.1:${healthPort}`,
  };
}

/** Arguments of Node.js for the gateway and the workers, beside those that all have. */
export function flagsOf(name: StackWorker | typeof gatewayName): readonly string[] {
  if (name === gatewayName) return [...boundedHeapFlags, ...requestFlags];
  return name === 'index' ? requestFlags : boundedHeapFlags;
}

function planned(name: string, script: string, options: PlanOptions, flags: readonly string[]) {
  const args = [...nodeFlags, ...flags, join(options.distDirectory, script)];
  const dependsOn = serverNames(options.servers.length);
  // A process that crashes while a node is away is started again all the same.
  return { name, dependsOn, dependenciesMin: quorumOf(dependsOn.length), command: process.execPath, args };
}

function commonEnvironment(role: RoleName, name: string, options: PlanOptions): Environment {
  const { user, pass }: RoleConnection = roleConnection(options.credentials, role);
  return {
    LAKEHOUSE_NATS_URL: natsUrlOf(options.servers.map(({ port }) => port)),
    ...(options.servers.length === 1 ? {} : { LAKEHOUSE_REPLICAS: String(options.servers.length) }),
    LAKEHOUSE_NATS_USER: user,
    LAKEHOUSE_NATS_PASSWORD: pass,
    LAKEHOUSE_DATA_DIR: options.dataDirectory,
    LAKEHOUSE_INSTANCE: name,
  };
}

/** What a client is told: every node, so that it goes on with another where one is away. */
export function natsUrlOf(ports: readonly number[]): string {
  return ports.map((port) => `nats://127.0.0.1:${port}`).join(',');
}
