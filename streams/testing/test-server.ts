import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ConnectionOptions, connect, type NatsConnection } from 'nats';
import { createCredentials, roleConnection, type ServerCredentials } from '../server/credentials.ts';
import { type LaunchOptions, launchServer, type RunningServer } from '../server/launch.ts';
import { locateServer, type ServerBinary } from '../server/locate.ts';
import { findFreePort } from '../server/ports.ts';
import type { RoleName } from '../server/roles.ts';

export type TestServerOptions = Partial<
  Pick<
    LaunchOptions,
    'port' | 'syncAlways' | 'maxPayloadBytes' | 'fileStoreBytesMax' | 'cluster' | 'credentials' | 'tls'
  >
> & {
  readonly binary?: ServerBinary;
  /** Where its folder is made; the system's folder for temporary files where left out. */
  readonly within?: string;
};

/** A real nats-server for one test: own store, own port, own credentials. Disposing ends it and deletes its store. */
export interface TestServer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  readonly directory: string;
  readonly binary: ServerBinary;
  readonly credentials: ServerCredentials;
  /** Options for connecting as a role; `producer` may also connect with `servers` alone. */
  optionsFor(role: RoleName): { servers: string; user: string; pass: string; inboxPrefix: string };
  /** A connection as a role, closed with the server at the latest. */
  connectAs(role: RoleName, options?: ConnectionOptions): Promise<NatsConnection>;
  /** Ends the server as a crash would. */
  kill9(): Promise<void>;
  /** Ends the server properly. */
  stop(): Promise<void>;
  /** Stops it from running at all, its connections open, and lets it run on. */
  pause(): void;
  resume(): void;
  /** Starts it again after `kill9` or `stop`, with the same port and store. */
  restart(): Promise<void>;
}

/** `await using server = await startTestServer();` Finds the server as `locateServer` does. */
export async function startTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  const { binary = await locateServer(), credentials = createCredentials(), within = tmpdir(), ...settings } = options;
  const directory = await mkdtemp(join(within, 'lakehouse-nats-'));
  const removeAtExit = () => rmSync(directory, { recursive: true, force: true });
  process.once('exit', removeAtExit);
  const port = options.port ?? (await findFreePort());
  const launch = () =>
    launchServer({
      ...settings,
      port,
      binary,
      directory,
      credentials,
      endWithParent: true,
    });

  let running: RunningServer;
  try {
    running = await launch();
  } catch (error) {
    process.off('exit', removeAtExit);
    removeAtExit();
    throw error;
  }
  const { url } = running;
  const connections = new Set<NatsConnection>();
  const optionsFor = (role: RoleName) => ({ servers: url, ...roleConnection(credentials, role) });

  return {
    url,
    port,
    directory,
    binary,
    credentials,
    get pid() {
      return running.pid;
    },
    optionsFor,
    async connectAs(role, connectionOptions = {}) {
      const connection = await connect({ ...connectionOptions, ...optionsFor(role) });
      connections.add(connection);
      void connection.closed().then(() => connections.delete(connection));
      return connection;
    },
    kill9: () => running.kill9(),
    stop: () => running.stop(),
    pause: () => void running.process.kill('SIGSTOP'),
    resume: () => void running.process.kill('SIGCONT'),
    async restart() {
      running = await launch();
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...connections].map((connection) => connection.close()));
      await running.kill9();
      process.off('exit', removeAtExit);
      await rm(directory, { recursive: true, force: true });
    },
  };
}
