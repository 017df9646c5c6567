import { renderServerConfig } from '../../streams/server/configure.ts';
import { createCredentials } from '../../streams/server/credentials.ts';
import { serverLimits } from '../../streams/server/limits.ts';
import { topologyBytes } from '../../streams/topology.ts';

/** The nats-server that `docker-compose.yml` runs: the settings that are written depend on nothing newer. */
const serverVersion = { major: 2, minor: 15, patch: 0 };
const clientPort = 4222;
const monitorPort = 8222;
const storeDirectory = '/data/jetstream';

/**
 * nats-server's configuration for containers: users and permissions as everywhere else, from the same code. It holds no
 * secret: each password is a variable of the container's environment.
 */
export function composeNatsConfig(): string {
  return renderServerConfig({
    comment: 'Made by "lakehouse nats-config" from streams/server; a test holds it current. Passwords are in .env.',
    version: serverVersion,
    // Reachable from the other containers; every user needs its password then.
    host: '0.0.0.0',
    port: clientPort,
    monitorPort,
    storeDir: storeDirectory,
    credentials: { ...createCredentials(), installation: 'compose' },
    passwords: 'named',
    fileStoreBytesMax: Math.max(serverLimits.fileStoreBytesMax, topologyBytes()),
    syncAlways: true,
  });
}
