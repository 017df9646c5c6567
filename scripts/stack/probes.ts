import { systemClock } from '../../streams/clock.ts';
import { connectLog } from '../../streams/connection.ts';
import { driftSentence, provisionStreams } from '../../streams/provision.ts';
import { roleConnection, type ServerCredentials } from '../../streams/server/credentials.ts';
import { probeServer } from '../../streams/server/probe.ts';
import type { TopologyOptions } from '../../streams/topology.ts';
import type { PreparedNode } from './nodes.ts';

type Probe = (signal: AbortSignal) => Promise<boolean>;

/** Whether a process answers its `/readyz` with success. */
export function httpProbe(healthUrl: string): Probe {
  return (signal) => answersOk(`${healthUrl}/readyz`, signal);
}

async function answersOk(url: string, signal: AbortSignal): Promise<boolean> {
  const response = await fetch(url, { signal });
  await response.body?.cancel();
  return response.ok;
}

export interface ServerProbeOptions {
  readonly nodes: readonly PreparedNode[];
  readonly credentials: ServerCredentials;
  readonly topology: TopologyOptions;
  readonly report: (line: string) => void;
}

/**
 * Whether this installation's nats-servers answer with JetStream, and have the streams, a probe for each: the first time
 * that one answers they are made, or brought to their declaration, and what differs still is told. A node of a cluster
 * is ready when it has caught up with the others.
 */
export function createServerProbes(options: ServerProbeOptions): Probe[] {
  const { nodes } = options;
  let provisioned: Promise<void> | undefined;
  let failure: string | undefined;
  const provisionOnce = (port: number): Promise<void> => {
    provisioned ??= provision(port, options).catch((error: unknown) => {
      provisioned = undefined;
      const said = `the streams could not be made yet: ${error instanceof Error ? error.message : error}`;
      if (said !== failure) options.report(said);
      failure = said;
      throw error;
    });
    return provisioned;
  };
  return nodes.map(({ prepared, port, healthUrl }) => async (signal) => {
    const greeting = await probeServer({ port });
    if (greeting?.serverName !== prepared.serverName || !greeting.jetStream) return false;
    if (healthUrl !== null && !(await answersOk(healthUrl, signal))) return false;
    await provisionOnce(port);
    return true;
  });
}

async function provision(port: number, { credentials, topology, report }: ServerProbeOptions): Promise<void> {
  const { user, pass } = roleConnection(credentials, 'operator');
  const url = `nats://127.0.0.1:${port}`;
  const connection = await connectLog({ url, user, password: pass, name: 'lakehouse-up', clock: systemClock });
  try {
    const { created, updated, drift } = await provisionStreams(connection, topology);
    if (created.length + updated.length > 0)
      report(`streams: ${created.length} created, ${updated.length} brought to their declaration`);
    for (const one of drift) report(driftSentence(one));
  } finally {
    await connection.drain();
  }
}
