import type { LogConnection } from '../connection.ts';
import { provisionStreams } from '../provision.ts';
import { createCredentials, roleConnection } from '../server/credentials.ts';
import { locateServer } from '../server/locate.ts';
import { findFreePort } from '../server/ports.ts';
import type { RoleName } from '../server/roles.ts';
import { clusterSince } from '../server/version.ts';
import type { TopologyOptions } from '../topology.ts';
import { startTestServer, type TestServer } from './test-server.ts';

/** Several real nats-servers as one log. Clients are told all of them. */
export interface TestCluster extends AsyncDisposable {
  /** Every node, separated by commas. */
  readonly url: string;
  readonly nodes: readonly TestServer[];
  /** The name by which the servers know a node: what `cluster.leader` of a stream says. */
  nameOf(node: TestServer): string;
  optionsFor(role: RoleName): ReturnType<TestServer['optionsFor']>;
}

const nodeCount = 3;

/** `await using cluster = await startTestCluster();` Three nodes; streams with three replicas can be made at once. */
export async function startTestCluster(): Promise<TestCluster> {
  const binary = await locateServer({ preferred: clusterSince });
  const credentials = createCredentials();
  const ports = await Promise.all(Array.from({ length: 2 * nodeCount }, () => findFreePort()));
  const [clients, clusters] = [ports.slice(0, nodeCount), ports.slice(nodeCount)];
  const nodes = await Promise.all(
    clients.map((port, at) =>
      startTestServer({
        binary,
        credentials,
        port,
        cluster: {
          name: 'test',
          serverName: `node-${at + 1}`,
          port: clusters[at] ?? 0,
          routes: clusters.filter((_, other) => other !== at).map((other) => `127.0.0.1:${other}`),
        },
      }),
    ),
  );
  const url = nodes.map((node) => node.url).join(',');
  return {
    url,
    nodes,
    nameOf: (node) => `node-${nodes.indexOf(node) + 1}`,
    optionsFor: (role) => ({ servers: url, ...roleConnection(credentials, role) }),
    [Symbol.asyncDispose]: async () => {
      await Promise.all(nodes.map((node) => node[Symbol.asyncDispose]()));
    },
  };
}

const provisionDeadlineMs = 30_000;
const provisionRetryMs = 200;

/** Makes the streams once the nodes have found one another and have a leader: until then they are refused, or not heard. */
export async function provisionCluster(operator: LogConnection, topology: TopologyOptions): Promise<void> {
  const deadline = performance.now() + provisionDeadlineMs;
  for (;;) {
    try {
      await provisionStreams(operator, topology);
      return;
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await operator.clock.sleep(provisionRetryMs);
    }
  }
}
