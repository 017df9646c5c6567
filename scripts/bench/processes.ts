import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createGatewayClient, type GatewayClient } from '../../gateway/client/client.ts';
import { systemClock } from '../../streams/clock.ts';
import { connectLog, type LogConnection } from '../../streams/connection.ts';
import { provisionStreams } from '../../streams/provision.ts';
import { createCredentials, roleConnection } from '../../streams/server/credentials.ts';
import { prepareServer } from '../../streams/server/launch.ts';
import { locateServer } from '../../streams/server/locate.ts';
import { findFreePort } from '../../streams/server/ports.ts';
import { probeServer } from '../../streams/server/probe.ts';
import type { RoleName } from '../../streams/server/roles.ts';
import { formatServerVersion } from '../../streams/server/version.ts';
import { type gatewayName, type PlannedProcess, planStack, type StackWorker, serverName } from '../stack/plan.ts';
import { compiled } from './project.ts';

const startDeadlineMs = 60_000;
const stopDeadlineMs = 20_000;
const pollMs = 25;
const clientDeadlineMs = 120_000;
const logTailCharacters = 2_000;

export interface BenchStackOptions {
  /** Which processes run besides nats-server; all of them where left out. */
  readonly processes?: readonly (StackWorker | typeof gatewayName)[];
  /** Over the defaults; what the caller's own environment says of the product is not taken. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Arguments of Node.js for a process, by its name. */
  readonly nodeArguments?: Readonly<Partial<Record<string, readonly string[]>>>;
  readonly note: (line: string) => void;
}

/** nats-server, workers and gateway, each a process of its own as in production, in a temporary directory. */
export interface BenchStack extends AsyncDisposable {
  readonly dataDirectory: string;
  readonly natsUrl: string;
  readonly natsServerVersion: string;
  readonly gatewayUrl: string;
  readonly client: GatewayClient;
  readonly pidOf: (name: string) => number;
  /** The process itself: for messages, where it was started with a module that answers them. */
  readonly childOf: (name: string) => ChildProcess;
  readonly connectAs: (role: RoleName) => Promise<LogConnection>;
  /** What a process needs to connect as a role, as environment variables. */
  readonly environmentOf: (role: RoleName) => Record<string, string>;
}

interface Started {
  readonly planned: PlannedProcess;
  readonly child: ChildProcess;
  readonly logFile: string;
  readonly ended: Promise<void>;
}

/** Starts the processes and waits until all are ready. Disposing ends them and deletes the directory. */
export async function startBenchStack(options: BenchStackOptions): Promise<BenchStack> {
  const { note, processes, nodeArguments = {} } = options;
  const binary = await locateServer({ report: note });
  const credentials = createCredentials();
  const dataDirectory = await mkdtemp(join(tmpdir(), 'lakehouse-bench-'));
  const removeAtExit = () => rmSync(dataDirectory, { recursive: true, force: true });
  process.once('exit', removeAtExit);
  const ports = await Promise.all(Array.from({ length: 8 }, () => findFreePort()));
  const natsPort = ports.pop() ?? 0;
  const gateway = { host: '127.0.0.1', port: ports.pop() ?? 0 };
  const server = await prepareServer({ binary, credentials, directory: join(dataDirectory, 'nats'), port: natsPort });
  const environment = { ...withoutProduct(process.env), ...options.environment };
  const plan = planStack({
    dataDirectory,
    distDirectory: compiled(),
    servers: [{ prepared: server, port: natsPort }],
    gateway: { host: gateway.host, ports: [gateway.port] },
    instances: { ingest: 1, embed: 1, index: 1 },
    credentials,
    environment,
    healthPorts: ports,
  });
  const natsUrl = `nats://127.0.0.1:${natsPort}`;
  const connectAs = (role: RoleName) => {
    const { user, pass } = roleConnection(credentials, role);
    return connectLog({ url: natsUrl, user, password: pass, name: `bench-${role}`, clock: systemClock });
  };
  const started: Started[] = [];
  const startOne = async (planned: PlannedProcess, isReady: () => Promise<boolean>) => {
    const one = await start(planned, dataDirectory, nodeArguments[planned.name] ?? []);
    started.push(one);
    await untilReady(one, isReady);
  };
  const stop = async () => {
    for (const one of [...started].reverse()) await end(one);
    process.off('exit', removeAtExit);
    await rm(dataDirectory, { recursive: true, force: true });
  };
  try {
    const [log, ...rest] = plan;
    if (log === undefined) throw new Error('the plan is empty');
    await startOne(log, async () => (await probeServer({ port: natsPort }))?.jetStream === true);
    const operator = await connectAs('operator');
    await provisionStreams(operator, { replicas: 1, streamBytes: {} });
    await operator.drain();
    for (const planned of rest)
      if (processes === undefined || processes.some((name) => name === planned.name))
        await startOne(planned, () => answersReady(planned));
  } catch (error) {
    await stop();
    throw error;
  }
  const find = (name: string): Started => {
    const one = started.find(({ planned }) => planned.name === name);
    if (one === undefined) throw new Error(`the process "${name}" does not run here`);
    return one;
  };
  const gatewayUrl = `http://${gateway.host}:${gateway.port}`;
  return {
    dataDirectory,
    natsUrl,
    natsServerVersion: formatServerVersion(binary.version),
    gatewayUrl,
    client: createGatewayClient({ url: gatewayUrl, deadlineMs: clientDeadlineMs }),
    pidOf: (name) => find(name).child.pid ?? 0,
    childOf: (name) => find(name).child,
    connectAs,
    environmentOf: (role) => {
      const { user, pass } = roleConnection(credentials, role);
      return {
        LAKEHOUSE_NATS_URL: natsUrl,
        LAKEHOUSE_NATS_USER: user,
        LAKEHOUSE_NATS_PASSWORD: pass,
        LAKEHOUSE_DATA_DIR: dataDirectory,
      };
    },
    [Symbol.asyncDispose]: stop,
  };
}

/** A benchmark measures the defaults, not what the caller's shell happens to say of the product. */
function withoutProduct(environment: NodeJS.ProcessEnv): Record<string, string> {
  const kept = Object.entries(environment).filter(([name]) => !name.startsWith('LAKEHOUSE_') && name !== 'OLLAMA_HOST');
  return Object.fromEntries(kept.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}

async function start(planned: PlannedProcess, directory: string, nodeArguments: readonly string[]): Promise<Started> {
  const { name, command, environment } = planned;
  const args = [...nodeArguments, ...planned.args];
  const logFile = join(directory, `${name}.log`);
  const log = await open(logFile, 'a', 0o600);
  // So that a benchmark that is killed leaves no processes behind.
  const setpriv = '/usr/bin/setpriv';
  const bound = existsSync(setpriv) ? [setpriv, '--pdeathsig', 'KILL', command, ...args] : [command, ...args];
  const [executable = command, ...parameters] = bound;
  const isNode = name !== serverName;
  const child = spawn(executable, parameters, {
    env: { ...environment },
    stdio: ['ignore', log.fd, log.fd, ...(isNode && nodeArguments.length > 0 ? ['ipc' as const] : [])],
  });
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  await log.close();
  return { planned, child, logFile, ended };
}

async function untilReady(one: Started, isReady: () => Promise<boolean>): Promise<void> {
  const deadline = AbortSignal.timeout(startDeadlineMs);
  for (;;) {
    if (await isReady()) return;
    const gone = one.child.exitCode !== null || one.child.signalCode !== null || one.child.pid === undefined;
    if (gone || deadline.aborted) {
      const tail = (await readFile(one.logFile, 'utf8').catch(() => '')).slice(-logTailCharacters);
      const what = gone ? 'ended' : `was not ready within ${startDeadlineMs / 1_000} s`;
      throw new Error(`the process "${one.planned.name}" ${what}; its log ends:\n${tail}`);
    }
    await delay(pollMs);
  }
}

async function answersReady({ healthUrl }: PlannedProcess): Promise<boolean> {
  try {
    return (await fetch(`${healthUrl}/readyz`, { signal: AbortSignal.timeout(2_000) })).ok;
  } catch {
    return false;
  }
}

/** Asks it to end, waits, and ends it by force. */
async function end({ child, ended }: Started): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  const force = setTimeout(() => child.kill('SIGKILL'), stopDeadlineMs);
  await ended;
  clearTimeout(force);
}
