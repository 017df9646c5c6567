import { join } from 'node:path';
import { type RoleConnection, roleConnection, type ServerCredentials } from '../../streams/server/credentials.ts';
import type { PreparedServer } from '../../streams/server/launch.ts';
import type { RoleName } from '../../streams/server/roles.ts';

export const workerNames = ['ingest', 'embed', 'index', 'playbook', 'observer'] as const;
export type StackWorker = (typeof workerNames)[number];

export const instancesMax = 16;

/** How many of a worker run: the observer writes files and the playbook worker decides alone, so they are one each. */
export type Instances = Readonly<Record<'ingest' | 'embed' | 'index', number>>;

type Environment = Readonly<Record<string, string | undefined>>;

/** One process of the stack: what is started, and where it tells that it is ready. */
export interface PlannedProcess {
  readonly name: string;
  readonly dependsOn: readonly string[];
  readonly command: string;
  readonly args: readonly string[];
  readonly environment: Environment;
  /** Where `/healthz` and `/readyz` are answered; null for nats-server, which is asked in its own way. */
  readonly healthUrl: string | null;
}

export interface PlanOptions {
  readonly dataDirectory: string;
  /** The folder of the compiled sources. */
  readonly distDirectory: string;
  readonly server: PreparedServer;
  readonly natsPort: number;
  readonly gateway: { readonly host: string; readonly port: number };
  readonly instances: Instances;
  readonly credentials: ServerCredentials;
  /** Given on to every process, but for the secrets that are not its own. */
  readonly environment: Environment;
  /** A free port of this machine, another one at each call. */
  readonly nextPort: () => number;
}

export const serverName = 'nats-server';
export const gatewayName = 'gateway';
const secretsOfGateway = ['LAKEHOUSE_TOKEN', 'LAKEHOUSE_SECONDARY_TOKENS'] as const;

/** What `up` starts, in the order in which it is listed: the log, everything that works on it, the gateway. */
export function planStack(options: PlanOptions): PlannedProcess[] {
  const { server, environment, gateway } = options;
  const workers = workerNames.flatMap((worker) => planWorker(worker, options));
  return [
    {
      name: serverName,
      dependsOn: [],
      command: server.command,
      args: server.args,
      environment: without(environment, secretsOfGateway),
      healthUrl: null,
    },
    ...workers,
    {
      ...planned(gatewayName, join('gateway', 'server.js'), options),
      environment: {
        ...environment,
        ...commonEnvironment('gateway', gatewayName, options),
        LAKEHOUSE_GATEWAY_HOST: gateway.host,
        LAKEHOUSE_GATEWAY_PORT: String(gateway.port),
      },
      healthUrl: gatewayUrlOf(gateway),
    },
  ];
}

/** Where this machine reaches a gateway that listens on a host and port. */
export function gatewayUrlOf({ host, port }: PlanOptions['gateway']): string {
  const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`;
}

function planWorker(worker: StackWorker, options: PlanOptions): PlannedProcess[] {
  const count = worker === 'playbook' || worker === 'observer' ? 1 : options.instances[worker];
  return Array.from({ length: count }, (_, at) => {
    const name = count === 1 ? worker : `${worker}-${at + 1}`;
    const healthPort = options.nextPort();
    return {
      ...planned(name, join('workers', worker, 'main.js'), options),
      environment: {
        ...without(options.environment, secretsOfGateway),
        ...commonEnvironment(worker, name, options),
        LAKEHOUSE_HEALTH_HOST: '127.0.0.1',
        LAKEHOUSE_HEALTH_PORT: String(healthPort),
      },
      healthUrl: `http://127.0.0.1:${healthPort}`,
    };
  });
}

function planned(name: string, script: string, options: PlanOptions) {
  const args = ['--enable-source-maps', join(options.distDirectory, script)];
  return { name, dependsOn: [serverName], command: process.execPath, args };
}

function commonEnvironment(role: RoleName, name: string, options: PlanOptions): Environment {
  const { user, pass }: RoleConnection = roleConnection(options.credentials, role);
  return {
    LAKEHOUSE_NATS_URL: `nats://127.0.0.1:${options.natsPort}`,
    LAKEHOUSE_NATS_USER: user,
    LAKEHOUSE_NATS_PASSWORD: pass,
    LAKEHOUSE_DATA_DIR: options.dataDirectory,
    LAKEHOUSE_INSTANCE: name,
  };
}

function without(environment: Environment, names: readonly string[]): Environment {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !names.includes(name)));
}
