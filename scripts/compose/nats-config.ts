import { renderServerConfig, type ServerConfig } from '../../streams/server/configure.ts';
import { createCredentials } from '../../streams/server/credentials.ts';
import { serverLimits } from '../../streams/server/limits.ts';
import { topologyBytes } from '../../streams/topology.ts';
import { clusterNodes, clusterPort } from './cluster-nodes.ts';

/** The nats-server that `docker-compose.yml` runs: the settings that are written depend on nothing newer. */
const serverVersion = { major: 2, minor: 15, patch: 0 };
const clientPort = 4222;
const monitorPort = 8222;
const storeDirectory = '/data/jetstream';

const settings = {
  comment: 'Made by "lakehouse nats-config" from streams/server; a test holds it current. Passwords are in .env.',
  version: serverVersion,
  // Reachable from the other containers; every user needs its password then.
  host: '0.0.0.0',
  port: clientPort,
  monitorPort,
  storeDir: storeDirectory,
  credentials: { ...createCredentials(), installation: 'compose' },
  passwords: 'named' as const,
  fileStoreBytesMax: Math.max(serverLimits.fileStoreBytesMax, topologyBytes()),
  syncAlways: true,
} satisfies ServerConfig;

/**
 * nats-server's configuration for containers: users and permissions as everywhere else, from the same code. It holds no
 * secret: each password is a variable of the container's environment.
 */
export function composeNatsConfig(): string {
  return renderServerConfig(settings);
}

/** The same for each node of `docker-compose.cluster.yml`: its name, too, is in its environment. */
export function composeClusterConfig(): string {
  const routes = clusterNodes.map((node) => `${node}:${clusterPort}`);
  return renderServerConfig({
    ...settings,
    comment: settings.comment.replace('nats-config"', 'nats-config --cluster"'),
    cluster: { name: 'lakehouse', serverName: '', port: clusterPort, routes },
  });
}
