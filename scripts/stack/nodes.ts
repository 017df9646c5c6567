import { existsSync, readdirSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ServerCredentials } from '../../streams/server/credentials.ts';
import { type PreparedServer, prepareServer } from '../../streams/server/launch.ts';
import type { ServerBinary } from '../../streams/server/locate.ts';
import { formatServerVersion, isAtLeast, type ServerVersion } from '../../streams/server/version.ts';
import { CommandError } from '../command/errors.ts';
import { exitCodes } from '../exit-codes.ts';

/** One server or three: two nodes decide nothing that one does not, as both are needed. */
export const nodeCounts = [1, 3, 5] as const;
const clusterName = 'lakehouse';
/** The oldest that was seen to compare expected sequences one behind the other in a cluster. */
const atomicInClustersSince: ServerVersion = { major: 2, minor: 10, patch: 27 };

/** The ports of one nats-server. */
export interface NodePorts {
  /** Where clients reach it. */
  readonly client: number;
  /** Where the other nodes reach it. */
  readonly cluster: number;
  /** Where it tells whether it has caught up with the others. */
  readonly monitor: number;
}

/** A nats-server that is ready to be started. */
export interface PreparedNode {
  readonly prepared: PreparedServer;
  readonly port: number;
  /** Answers 200 once everything that it holds a replica of is as new as elsewhere; null for a server of its own. */
  readonly healthUrl: string | null;
}

export interface NodesOptions {
  readonly dataDirectory: string;
  readonly binary: ServerBinary;
  readonly credentials: ServerCredentials;
  readonly fileStoreBytesMax: number;
}

/** How many nodes keep the streams of a data directory; undefined where none were kept there yet. */
export function nodesOf(dataDirectory: string): number | undefined {
  const kept = (directory: string) => existsSync(join(dataDirectory, directory, 'store'));
  if (kept('nats')) return 1;
  const names = existsSync(dataDirectory) ? readdirSync(dataDirectory) : [];
  const nodes = names.filter((name) => /^nats-\d+$/.test(name) && kept(name)).length;
  return nodes === 0 ? undefined : nodes;
}

/**
 * How many nodes are started: those that keep the streams already, or as many as are asked for.
 * @throws CommandError (2) where another number is asked for: the streams would seem to be empty
 */
export function chooseNodes(dataDirectory: string, asked: number | undefined): number {
  const kept = nodesOf(dataDirectory);
  if (kept !== undefined && asked !== undefined && kept !== asked)
    throw new CommandError(exitCodes.usage, {
      happened: `the streams in "${dataDirectory}" are kept by ${kept} ${kept === 1 ? 'node' : 'nodes'}, and --nodes says ${asked}`,
      means: 'Other nodes would not have them. Nothing was started.',
      remedy:
        `Leave --nodes out, or take a backup ("lakehouse backup --to DIR"), start "lakehouse up --nodes ${asked}" on a new ` +
        'data directory, and restore it there ("lakehouse restore --from DIR").',
    });
  return asked ?? kept ?? 1;
}

/**
 * Two ingest workers may speak of one document at once, and rely on the log to take only one of the two. A cluster of
 * nats-server 2.9 takes both (measured with 2.9.10, and not with 2.10.27 and 2.15.1): what one of them said is lost.
 * @throws CommandError (2) for several ingest workers on several nodes of an older server
 */
export function refuseRacing(nodes: number, ingestWorkers: number, version: ServerVersion): void {
  if (nodes === 1 || ingestWorkers === 1 || isAtLeast(version, atomicInClustersSince)) return;
  const since = formatServerVersion(atomicInClustersSince);
  throw new CommandError(exitCodes.usage, {
    happened: `nats-server ${formatServerVersion(version)} can not keep ${ingestWorkers} ingest workers apart on ${nodes} nodes; ${since} can`,
    means: 'Of two changes to one document at the same moment, one could be lost. Nothing was started.',
    remedy: `Leave --ingest-workers out, or set LAKEHOUSE_NATS_SERVER to nats-server ${since} or later.`,
  });
}

/** The configuration of one server, or of each node of a cluster, is written; they are told apart by their names. */
export async function prepareNodes(ports: readonly NodePorts[], options: NodesOptions): Promise<PreparedNode[]> {
  const { dataDirectory, ...settings } = options;
  const { installation } = settings.credentials;
  const cluster = (at: number, own: NodePorts) => ({
    name: `${clusterName}-${installation}`,
    serverName: `lakehouse-${installation}-${at + 1}`,
    port: own.cluster,
    routes: ports.filter((other) => other !== own).map((other) => `127.0.0.1:${other.cluster}`),
  });
  const alone = ports.length === 1;
  return Promise.all(
    ports.map(async (own, at) => {
      const directory = join(dataDirectory, alone ? 'nats' : `nats-${at + 1}`);
      await mkdir(directory, { recursive: true });
      const place = { directory, port: own.client, ...settings };
      const prepared = await prepareServer(
        alone ? place : { ...place, monitorPort: own.monitor, cluster: cluster(at, own) },
      );
      return {
        prepared,
        port: own.client,
        healthUrl: alone ? null : `http://127.0.0.1:${own.monitor}/healthz?js-server-only=true`,
      };
    }),
  );
}
