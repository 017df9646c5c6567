import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, open, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { renderServerConfig, type ServerConfig, serverNameOf } from './configure.ts';
import { ServerError } from './errors.ts';
import { serverLimits } from './limits.ts';
import type { ServerBinary } from './locate.ts';
import { isPortFree } from './ports.ts';
import { probeServer } from './probe.ts';

type Settings = Omit<ServerConfig, 'version' | 'port' | 'storeDir' | 'portsFileDir'>;

export interface PrepareOptions extends Settings {
  readonly binary: ServerBinary;
  /** Everything of the server lies here: configuration, streams, log. */
  readonly directory: string;
  /** Absent: any free port. */
  readonly port?: number;
}

/** A server ready to be started, by `launchServer` or by whoever supervises it. */
export interface PreparedServer {
  readonly command: string;
  readonly args: readonly string[];
  readonly configFile: string;
  readonly portsFileDir: string;
  readonly serverName: string;
}

export interface LaunchOptions extends PrepareOptions {
  /** Ends the server when this process ends, however it does (Linux, where util-linux is there). For tests. */
  readonly endWithParent?: boolean;
}

/** A nats-server that accepts connections. Disposing stops it; its streams stay in its directory. */
export interface RunningServer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  readonly process: ChildProcess;
  readonly logFile: string;
  /** Asks it to end, waits, and ends it by force after `serverLimits.stopDeadlineMs`. */
  stop(): Promise<void>;
  /** Ends it as a crash would (SIGKILL) and waits until it is gone. */
  kill9(): Promise<void>;
}

/**
 * Writes the configuration (mode 0600, as it holds the passwords) and tells how to start the server.
 *
 * @throws ServerError `unsupported-setting`, as `renderServerConfig`.
 */
export async function prepareServer(options: PrepareOptions): Promise<PreparedServer> {
  const { binary, port, directory: given, ...settings } = options;
  // The server may be started from elsewhere.
  const directory = resolve(given);
  const configFile = join(directory, 'nats-server.conf');
  const portsFileDir = join(directory, 'ports');
  const text = renderServerConfig({
    ...settings,
    version: binary.version,
    port: port ?? -1,
    storeDir: join(directory, 'store'),
    portsFileDir,
  });
  // A file of an ended server would name ports that are no longer its own.
  await rm(portsFileDir, { recursive: true, force: true });
  await mkdir(portsFileDir, { recursive: true, mode: 0o700 });
  await writeFile(configFile, text, { mode: 0o600 });
  await chmod(configFile, 0o600);
  return {
    command: binary.path,
    args: ['--config', configFile],
    configFile,
    portsFileDir,
    serverName: serverNameOf(settings),
  };
}

/**
 * Starts a server and waits until it accepts connections with JetStream enabled. Its log is `nats-server.log` in its
 * directory.
 *
 * @throws ServerError `port-taken`; `start-failed` with the end of the log; `unsupported-setting`.
 */
export async function launchServer(options: LaunchOptions): Promise<RunningServer> {
  const { endWithParent = false, ...prepareOptions } = options;
  const { directory, port, host } = options;
  if (port !== undefined && !(await isPortFree(port, host))) throw portTaken(port);
  const prepared = await prepareServer(prepareOptions);
  const logFile = join(directory, 'nats-server.log');
  const child = await spawnServer(prepared, logFile, endWithParent);
  const exited = new Promise<void>((resolve) => child.once('close', () => resolve()));
  try {
    const found = await waitUntilReady(child, prepared, host);
    return runningServer(child, exited, found, host ?? '127.0.0.1', logFile);
  } catch (error) {
    child.kill('SIGKILL');
    if (child.pid !== undefined) await exited;
    const tail = await logTail(logFile);
    if (port !== undefined && tail.includes('address already in use')) throw portTaken(port);
    const why = error instanceof Error ? error.message : String(error);
    throw new ServerError(
      'start-failed',
      `nats-server did not start: ${why}. Nothing works without it. Its log (${logFile}) ends:\n${tail}`,
    );
  }
}

async function spawnServer(prepared: PreparedServer, logFile: string, endWithParent: boolean): Promise<ChildProcess> {
  const setpriv = '/usr/bin/setpriv';
  const bound = endWithParent && existsSync(setpriv);
  const command = bound ? setpriv : prepared.command;
  const args = bound ? ['--pdeathsig', 'KILL', prepared.command, ...prepared.args] : prepared.args;
  // The server writes to the file itself: a pipe would break when this process ends first.
  const log = await open(logFile, 'a', 0o600);
  try {
    return spawn(command, args, { stdio: ['ignore', log.fd, log.fd] });
  } finally {
    await log.close();
  }
}

/** The port that the server of this very process listens on. */
async function waitUntilReady(
  child: ChildProcess,
  prepared: PreparedServer,
  host: string | undefined,
): Promise<number> {
  const deadline = AbortSignal.timeout(serverLimits.startDeadlineMs);
  let failure: Error | undefined;
  child.once('error', (error) => {
    failure = error;
  });
  child.once('exit', (code, signal) => {
    failure ??= new Error(`it ended with ${code === null ? `signal ${signal}` : `exit code ${code}`}`);
  });
  while (!deadline.aborted) {
    if (failure !== undefined) throw failure;
    const port = await readPort(prepared, child.pid);
    const greeting =
      port === undefined ? undefined : await probeServer({ port, ...(host === undefined ? {} : { host }) });
    if (port !== undefined && greeting?.jetStream === true && greeting.serverName === prepared.serverName) return port;
    await delay(serverLimits.startPollMs);
  }
  throw new Error(`it accepted no connection within ${serverLimits.startDeadlineMs / 1000} s`);
}

/** The server writes `<executable>_<pid>.ports` once it listens; a file half written reads as not there yet. */
async function readPort(prepared: PreparedServer, pid: number | undefined): Promise<number | undefined> {
  const name = `${prepared.command.split('/').at(-1)}_${pid}.ports`;
  try {
    const ports: unknown = JSON.parse(await readFile(join(prepared.portsFileDir, name), 'utf8'));
    if (typeof ports !== 'object' || ports === null || !('nats' in ports) || !Array.isArray(ports.nats))
      return undefined;
    return Number(new URL(String(ports.nats[0])).port);
  } catch {
    return undefined;
  }
}

function runningServer(
  child: ChildProcess,
  exited: Promise<void>,
  port: number,
  host: string,
  logFile: string,
): RunningServer {
  const kill9 = async () => {
    child.kill('SIGKILL');
    await exited;
  };
  const stop = async () => {
    child.kill('SIGTERM');
    const force = setTimeout(() => child.kill('SIGKILL'), serverLimits.stopDeadlineMs);
    await exited;
    clearTimeout(force);
  };
  const urlHost = host === '0.0.0.0' ? '127.0.0.1' : host;
  return {
    url: `nats://${urlHost.includes(':') ? `[${urlHost}]` : urlHost}:${port}`,
    port,
    pid: child.pid ?? 0,
    process: child,
    logFile,
    stop,
    kill9,
    [Symbol.asyncDispose]: stop,
  };
}

async function logTail(logFile: string): Promise<string> {
  const text = await readFile(logFile, 'utf8').catch(() => '');
  return text.slice(-serverLimits.logTailBytes).trim();
}

function portTaken(port: number): ServerError {
  return new ServerError(
    'port-taken',
    `Port ${port} is taken by another program, so nats-server cannot listen on it. ` +
      `See which one with \`ss -ltnp 'sport = :${port}'\`, stop it, or choose another port.`,
  );
}
