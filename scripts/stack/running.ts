import { join } from 'node:path';
import { readRunning } from '../supervise/running.ts';
import { gatewayName, isNamed, natsUrlOf, serverName } from './plan.ts';

/** One process of a running stack. */
export interface StackProcess {
  readonly name: string;
  /** Null while it waits to be started again. */
  readonly pid: number | null;
  /** Where `/healthz` and `/readyz` are answered; null for nats-server. */
  readonly health_url: string | null;
  readonly log_file: string;
}

/** The stack that runs on a data directory, as `up` wrote it down. */
export interface StackRecord {
  readonly pid: number;
  readonly started_at: string;
  readonly gateway_url: string;
  /** Every gateway, the first one first. */
  readonly gateway_urls: readonly string[];
  /** Every node, separated by commas. */
  readonly nats_url: string;
  /** How many nats-servers make up the log; every stream is on all of them. */
  readonly nodes: number;
  readonly processes: readonly StackProcess[];
}

/**
 * The stack that runs on a data directory; undefined where none does. Every process has a port in `up.json` under its
 * name: nats-server its own, the gateway its own, a worker that of its health endpoints.
 */
export function readStack(dataDirectory: string): StackRecord | undefined {
  const running = readRunning(dataDirectory);
  if (running === undefined) return undefined;
  const { ports } = running;
  const pids = new Map(running.children.map(({ name, pid }) => [name, pid]));
  const portsOf = (kind: string) =>
    Object.entries(ports).flatMap(([name, port]) => (isNamed(name, kind) ? [port] : []));
  const http = (port: number) => `http://127.0.0.1:${port}`;
  const gateways = portsOf(gatewayName).map(http);
  const servers = portsOf(serverName);
  return {
    pid: running.pid,
    started_at: running.startedAt,
    gateway_url: gateways[0] ?? http(0),
    gateway_urls: gateways,
    nats_url: natsUrlOf(servers),
    nodes: servers.length,
    processes: Object.entries(ports).map(([name, port]) => ({
      name,
      pid: pids.get(name) ?? null,
      health_url: isNamed(name, serverName) ? null : http(port),
      log_file: join(dataDirectory, 'logs', `${name}.log`),
    })),
  };
}
