import { systemClock } from '../../streams/clock.ts';
import { connectLog } from '../../streams/connection.ts';
import { driftSentence, provisionStreams } from '../../streams/provision.ts';
import { roleConnection, type ServerCredentials } from '../../streams/server/credentials.ts';
import type { PreparedServer } from '../../streams/server/launch.ts';
import { probeServer } from '../../streams/server/probe.ts';
import type { TopologyOptions } from '../../streams/topology.ts';

type Probe = (signal: AbortSignal) => Promise<boolean>;

/** Whether a process answers its `/readyz` with success. */
export function httpProbe(healthUrl: string): Probe {
  return async (signal) => {
    const response = await fetch(`${healthUrl}/readyz`, { signal });
    await response.body?.cancel();
    return response.ok;
  };
}

export interface ServerProbeOptions {
  readonly server: PreparedServer;
  readonly port: number;
  readonly credentials: ServerCredentials;
  readonly topology: TopologyOptions;
  readonly report: (line: string) => void;
}

/**
 * Whether this installation's nats-server answers with JetStream, and has the streams: the first time that it answers
 * they are made, or brought to their declaration, and what differs still is told.
 */
export function createServerProbe(options: ServerProbeOptions): Probe {
  const { server, port } = options;
  let provisioned = false;
  return async () => {
    const greeting = await probeServer({ port });
    if (greeting?.serverName !== server.serverName || !greeting.jetStream) return false;
    if (!provisioned) await provision(options);
    provisioned = true;
    return true;
  };
}

async function provision({ port, credentials, topology, report }: ServerProbeOptions): Promise<void> {
  const { user, pass } = roleConnection(credentials, 'operator');
  const url = `nats://127.0.0.1:${port}`;
  const connection = await connectLog({ url, user, password: pass, name: 'lakehouse-up', clock: systemClock });
  try {
    const { created, updated, drift } = await provisionStreams(connection, topology);
    if (created.length + updated.length > 0)
      report(`streams: ${created.length} created, ${updated.length} brought to their declaration`);
    for (const one of drift) report(driftSentence(one));
  } catch (error) {
    report(`the streams could not be made yet: ${error instanceof Error ? error.message : error}`);
    throw error;
  } finally {
    await connection.drain();
  }
}
