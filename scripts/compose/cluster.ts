import { parse, stringify } from 'yaml';
import { routeVariable } from '../../streams/server/configure.ts';
import { clusterNodes, clusterPort } from './cluster-nodes.ts';

/** Services of which there are two. */
const doubled: readonly string[] = ['index', 'gateway'];
const natsUrl = clusterNodes.map((node) => `nats://${node}:4222`).join(',');
const secretMissing = 'make .env with scripts/compose/generate-env.sh';
const clusterPassword = `\${LAKEHOUSE_NATS_PASSWORD_CLUSTER:?${secretMissing}}`;

const comment = `# The whole system on three nodes of NATS, with two gateways and two index workers. Made from docker-compose.yml
# (npx vitest run --project unit scripts/compose --update); a test holds it current. First make its secrets, once, with
# scripts/compose/generate-env.sh; then: docker compose -f docker-compose.cluster.yml up --build --detach --wait
# On one machine this survives the loss of a node, not of the machine: scripts/compose/README.md
`;

type Json = Record<string, unknown>;
type Service = Json & {
  environment?: Record<string, string>;
  depends_on?: Json;
  volumes?: unknown[];
  ports?: string[];
};
interface Compose {
  readonly name: string;
  readonly services: Record<string, Service>;
  readonly networks: Json;
  readonly volumes: Json;
}

/** `docker-compose.cluster.yml`, from the text of `docker-compose.yml`: the same services, some of them several times. */
export function clusterCompose(single: string): string {
  const { services, networks, volumes } = parse(single, { merge: true }) as Compose;
  const doubledServices = Object.entries(services).flatMap(([name, service]) => copiesOf(name, service));
  const compose: Compose = {
    name: 'lakehouse-cluster',
    services: Object.fromEntries(doubledServices),
    networks,
    volumes: Object.fromEntries(
      Object.entries(volumes).flatMap(([name, volume]) =>
        copyNames(name.replace('-data', '')).map((copy) => [`${copy}-data`, volume]),
      ),
    ),
  };
  return `${comment}${stringify(compose, { aliasDuplicateObjects: false, lineWidth: 0 })}`;
}

function copiesOf(name: string, service: Service): [string, Service][] {
  return copyNames(name).map((copy, at) => [copy, copyOf(name, copy, at, service)]);
}

/** What a service or its volume becomes. */
function copyNames(name: string): readonly string[] {
  if (name === 'nats') return clusterNodes;
  return doubled.includes(name) ? [`${name}-1`, `${name}-2`] : [name];
}

function copyOf(name: string, copy: string, at: number, service: Service): Service {
  const { environment, depends_on, volumes, ports, command } = service;
  return {
    ...service,
    ...(environment === undefined ? {} : { environment: environmentOf(name, copy, environment) }),
    ...(depends_on === undefined ? {} : { depends_on: dependenciesOf(depends_on) }),
    ...(volumes === undefined
      ? {}
      : { volumes: name === 'volumes' ? preparedVolumes(volumes) : volumes.map((one) => volumeOf(name, copy, one)) }),
    ...(ports === undefined ? {} : { ports: ports.map((port) => portOf(port, at)) }),
    ...(name === 'volumes' ? { command: preparedFolders(command) } : {}),
  };
}

function environmentOf(name: string, copy: string, environment: Record<string, string>): Record<string, string> {
  if (name === 'nats') {
    const routes = clusterNodes.map((node) => [
      routeVariable(`${node}:${clusterPort}`),
      `nats://cluster:${clusterPassword}@${node}:${clusterPort}`,
    ]);
    const own = { LAKEHOUSE_NATS_NAME: copy, LAKEHOUSE_NATS_PASSWORD_CLUSTER: clusterPassword };
    return { ...environment, ...own, ...Object.fromEntries(routes) };
  }
  const told =
    environment.LAKEHOUSE_NATS_URL === undefined ? {} : { LAKEHOUSE_NATS_URL: natsUrl, LAKEHOUSE_REPLICAS: '3' };
  const gateway =
    environment.LAKEHOUSE_GATEWAY_URL === undefined ? {} : { LAKEHOUSE_GATEWAY_URL: 'http://gateway-1:3110' };
  const instance = doubled.includes(name) ? { LAKEHOUSE_INSTANCE: copy } : {};
  return { ...environment, ...told, ...gateway, ...instance };
}

function dependenciesOf(dependencies: Json): Json {
  return Object.fromEntries(
    Object.entries(dependencies).flatMap(([name, how]) => copyNames(name).map((copy) => [copy, how])),
  );
}

function volumeOf(name: string, copy: string, volume: unknown): unknown {
  const own = (source: string) => (source === `${name}-data` ? `${copy}-data` : source);
  if (typeof volume !== 'string') return { ...(volume as Json), source: own((volume as { source: string }).source) };
  const [source = '', ...rest] = volume.split(':');
  return [source.endsWith('/nats-server.conf') ? source.replace('server', 'cluster') : own(source), ...rest].join(':');
}

/** A volume for each node, below the folder that the image has for the one. */
function preparedVolumes(volumes: readonly unknown[]): unknown[] {
  return volumes.flatMap((volume) =>
    volume === 'nats-data:/volumes/nats' ? clusterNodes.map((node) => `${node}-data:/volumes/${node}`) : [volume],
  );
}

function preparedFolders(command: unknown): unknown[] {
  return (command as string[]).flatMap((part) =>
    part === '/volumes/nats' ? clusterNodes.map((node) => `/volumes/${node}`) : [part],
  );
}

/** The first copy is reached where the one was; the next ones behind it. */
function portOf(port: string, at: number): string {
  if (at === 0) return port;
  return port.replace(/:\$\{([A-Z_]+):-(\d+)\}:/, (_, name: string, number: string) => {
    return `:\${${name}_${at + 1}:-${Number(number) + at}}:`;
  });
}
