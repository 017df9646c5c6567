import { connect, type JetStreamClient, type JetStreamManager, type NatsConnection, nuid, type Status } from 'nats';
import type { NatsTls } from '../schemas/configuration.ts';
import type { Clock } from './clock.ts';
import { createJetStreamTransport } from './jetstream.ts';
import { createRequester } from './requester.ts';
import { createStalls, type StallLimits, type Stalls } from './stalls.ts';
import { quietTelemetry, type Telemetry } from './telemetry/telemetry.ts';
import type { RuntimeConnection } from './transport.ts';

export { waitUntilConnected } from './transport.ts';

/** How long a client waits for JetStream to answer one request. */
const jetStreamTimeoutMs = 5_000;
const pingIntervalMs = 3_000;
const reconnectWaitMs = 250;

/** One process's connection to the log. */
export interface LogConnection extends RuntimeConnection {
  readonly nats: NatsConnection;
  readonly jetStream: JetStreamClient;
  readonly manager: JetStreamManager;
  /** Where replies to this connection arrive; only its own user may listen there. */
  readonly inboxPrefix: string;
  readonly stalls: Stalls;
  /** Sends what is buffered, finishes what was begun, and closes. */
  drain(): Promise<void>;
}

export interface ConnectOptions {
  readonly url: string;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  /** Undefined: TLS only where the server or the address (`tls://`) asks for it, with the system's certificates. */
  readonly tls?: NatsTls | undefined;
  /** Shown by `nats server report connections`. */
  readonly name: string;
  readonly clock: Clock;
  /** Absent: nobody reads what is told. */
  readonly telemetry?: Telemetry;
  readonly onStatus?: (status: string, detail: string) => void;
  /** Absent: those of every process. */
  readonly stallLimits?: StallLimits;
  /** Wait for a server that is not there yet (workers), or fail at once (commands). */
  readonly waitForServer?: boolean;
}

/** Inboxes of a user, so that one process can not read another's replies. */
export function inboxPrefixOf(user: string | undefined): string {
  return user === undefined ? '_INBOX' : `_INBOX_${user}`;
}

/**
 * Connects and stays connected: a server that goes away is waited for without end.
 * @throws NatsError where the server refuses, or is not there and `waitForServer` is false
 */
export async function connectLog(options: ConnectOptions): Promise<LogConnection> {
  const inboxPrefix = inboxPrefixOf(options.user);
  const nats = await connect({
    servers: options.url.split(','),
    name: options.name,
    inboxPrefix,
    maxReconnectAttempts: -1,
    waitOnFirstConnect: options.waitForServer ?? false,
    reconnectTimeWait: reconnectWaitMs,
    pingInterval: pingIntervalMs,
    ignoreClusterUpdates: true,
    // Caller stack traces cost a fifth to a half of the publish rate.
    noAsyncTraces: true,
    ...(options.user === undefined ? {} : { user: options.user }),
    ...(options.password === undefined ? {} : { pass: options.password }),
    ...(options.tls === undefined ? {} : { tls: { ...options.tls } }),
  });
  const requester = createRequester({
    nats,
    inbox: newInbox({ inboxPrefix }),
    clock: options.clock,
    timeoutMs: jetStreamTimeoutMs,
  });
  const state = { connected: true };
  const watchers = new Set<(connected: boolean) => void>();
  void followStatus(nats, ({ type, data, permissionContext: refused }) => {
    options.onStatus?.(type, String(data));
    if (refused?.operation === 'publish') requester.notPermitted(refused.subject);
    if (type !== 'disconnect' && type !== 'reconnect') return;
    state.connected = type === 'reconnect';
    if (!state.connected) requester.connectionLost();
    for (const watcher of [...watchers]) watcher(state.connected);
  });
  const telemetry = options.telemetry ?? quietTelemetry();
  const jetStream = nats.jetstream({ timeout: jetStreamTimeoutMs });
  const manager = await nats.jetstreamManager({ timeout: jetStreamTimeoutMs, checkAPI: false });
  return {
    nats,
    jetStream,
    manager,
    transport: createJetStreamTransport({ nats, jetStream, manager, requester }, options.clock),
    inboxPrefix,
    clock: options.clock,
    telemetry,
    stalls: createStalls(telemetry.metrics, options.stallLimits),
    isConnected: () => state.connected && !nats.isClosed(),
    isClosed: () => nats.isClosed(),
    watch: (listener) => {
      watchers.add(listener);
      return () => watchers.delete(listener);
    },
    drain: () => drain(nats),
  };
}

async function followStatus(nats: NatsConnection, tell: (status: Status) => void): Promise<void> {
  for await (const status of nats.status()) tell(status);
}

async function drain(nats: NatsConnection): Promise<void> {
  if (nats.isClosed()) return;
  await nats.drain().catch(() => undefined);
  // Without a server a drain ends early, and the client would go on dialling.
  if (!nats.isClosed()) await nats.close();
}

/** A fresh inbox for one purpose of this connection. */
export function newInbox({ inboxPrefix }: Pick<LogConnection, 'inboxPrefix'>): string {
  return `${inboxPrefix}.${nuid.next()}`;
}

/** One answer from JetStream itself: fails where the server is gone, hung or out of its store. */
export async function jetStreamRoundTrip(connection: LogConnection): Promise<void> {
  await connection.manager.getAccountInfo();
}
