import type { ServerCredentials } from './credentials.ts';
import { ServerError } from './errors.ts';
import { serverLimits } from './limits.ts';
import { permissionsOf } from './permissions.ts';
import { type RoleName, roleNames, roles } from './roles.ts';
import { formatServerVersion, isAtLeast, type ServerVersion, syncAlwaysSince } from './version.ts';

/** One server of several: where it listens for the others and where they listen. */
export interface ClusterConfig {
  readonly name: string;
  /** This server's name within the cluster; unlike the others', and the same after every restart. */
  readonly serverName: string;
  readonly port: number;
  /** `host:port` of the other servers' cluster ports. */
  readonly routes: readonly string[];
}

export interface ServerConfig {
  /** The first line of the file. */
  readonly comment?: string;
  readonly version: ServerVersion;
  /** Loopback unless given. On any other address everybody needs credentials, producers too. */
  readonly host?: string;
  /** -1: any free port. */
  readonly port: number;
  /** Port of the HTTP monitoring endpoint, which asks for no credentials and so is on loopback always; absent: none. */
  readonly monitorPort?: number;
  /** Where JetStream keeps the streams. */
  readonly storeDir: string;
  /** Where the server writes a file telling the ports it listens on; absent: nowhere. */
  readonly portsFileDir?: string;
  readonly credentials: ServerCredentials;
  /**
   * `named`: the file names the variable of the server's environment that holds each password (`passwordVariable`), so
   * that it holds no secret. `written` unless given.
   */
  readonly passwords?: 'written' | 'named';
  readonly maxPayloadBytes?: number;
  readonly memoryStoreBytesMax?: number;
  readonly fileStoreBytesMax?: number;
  /** Sync to disk before each publish is acknowledged, so that a power cut takes nothing (servers from 2.10). */
  readonly syncAlways?: boolean;
  readonly cluster?: ClusterConfig;
  /** Absent: connections are not encrypted. */
  readonly tls?: ServerTls;
}

/** Files of the server's certificate; with `caFile` every client must show one of that authority. */
export interface ServerTls {
  readonly certFile: string;
  readonly keyFile: string;
  readonly caFile?: string;
}

/** The account with JetStream. Its name is a folder of the store: another name would hide all streams. */
export const mainAccount = 'LAKEHOUSE';
const producerAccount = 'PRODUCERS';

const loopbackHosts = ['127.0.0.1', '::1', 'localhost'];

/** The name that the server tells in its greeting: by it a probe knows that this installation's server answers. */
export function serverNameOf(config: Pick<ServerConfig, 'credentials' | 'cluster'>): string {
  return config.cluster?.serverName ?? `lakehouse-${config.credentials.installation}`;
}

/**
 * The text of nats-server's configuration file. It holds every password: write it with mode 0600.
 *
 * @throws ServerError `unsupported-setting` when this server's version cannot do what is asked.
 */
export function renderServerConfig(config: ServerConfig): string {
  const host = config.host ?? '127.0.0.1';
  const lines = [
    `# ${config.comment ?? 'Written at every start; changes made here are lost.'}`,
    `server_name: ${config.passwords === 'named' && config.cluster ? `$${serverNameVariable}` : quoted(serverNameOf(config))}`,
    `host: ${quoted(host)}`,
    `port: ${config.port}`,
    ...(config.monitorPort === undefined ? [] : [`http: "127.0.0.1:${config.monitorPort}"`]),
    ...(config.portsFileDir === undefined ? [] : [`ports_file_dir: ${quoted(config.portsFileDir)}`]),
    `max_payload: ${config.maxPayloadBytes ?? serverLimits.maxPayloadBytes}`,
    ...(config.tls === undefined ? [] : tlsLines(config.tls)),
    ...jetStreamLines(config),
    // Without credentials one is a producer; who can reach a loopback port is on this machine already.
    ...(loopbackHosts.includes(host) ? [`no_auth_user: ${quoted('producer' satisfies RoleName)}`] : []),
    ...accountLines(config),
    ...(config.cluster === undefined ? [] : clusterLines(config, config.cluster, host)),
  ];
  return `${lines.join('\n')}\n`;
}

function tlsLines({ certFile, keyFile, caFile }: ServerTls): string[] {
  return [
    'tls {',
    `  cert_file: ${quoted(certFile)}`,
    `  key_file: ${quoted(keyFile)}`,
    ...(caFile === undefined ? [] : [`  ca_file: ${quoted(caFile)}`, '  verify: true']),
    '}',
  ];
}

function jetStreamLines(config: ServerConfig): string[] {
  if (config.syncAlways === true && !isAtLeast(config.version, syncAlwaysSince)) {
    throw new ServerError(
      'unsupported-setting',
      `nats-server ${formatServerVersion(config.version)} cannot sync every publish to disk; that came with ` +
        `${formatServerVersion(syncAlwaysSince)}. Without it a power cut can take the last two minutes of acknowledged ` +
        'events. Set LAKEHOUSE_NATS_SERVER to a newer server, or start without syncing always.',
    );
  }
  return [
    'jetstream {',
    `  store_dir: ${quoted(config.storeDir)}`,
    `  max_memory_store: ${config.memoryStoreBytesMax ?? serverLimits.memoryStoreBytesMax}`,
    `  max_file_store: ${config.fileStoreBytesMax ?? serverLimits.fileStoreBytesMax}`,
    ...(config.syncAlways === true ? ['  sync_interval: "always"'] : []),
    '}',
  ];
}

/** Isolated roles get an account of their own, from which only what they publish is let into the main one. */
function accountLines(config: ServerConfig): string[] {
  const inside = roleNames.filter((name) => !roles[name].isolated);
  const isolated = roleNames.filter((name) => roles[name].isolated);
  const shared = isolated.flatMap((name) => roles[name].publishes);
  const exports = shared.map((subject) => `{ service: ${quoted(subject)}, accounts: [${quoted(producerAccount)}] }`);
  const imports = shared.map(
    (subject) => `{ service: { account: ${quoted(mainAccount)}, subject: ${quoted(subject)} } }`,
  );
  return [
    'accounts {',
    `  ${mainAccount} {`,
    '    jetstream: enabled',
    ...userLines(inside, config),
    `    exports: [${exports.join(', ')}]`,
    '  }',
    `  ${producerAccount} {`,
    ...userLines(isolated, config),
    `    imports: [${imports.join(', ')}]`,
    '  }',
    '}',
  ];
}

function userLines(names: readonly RoleName[], { credentials, passwords }: ServerConfig): string[] {
  const password = (name: RoleName) =>
    passwords === 'named' ? `$${passwordVariable(name)}` : quoted(credentials.passwords[name]);
  return ['    users: [', ...names.flatMap((name) => userBlock(name, password(name))), '    ]'];
}

/** The variable that holds a role's password where the configuration only names it. */
export function passwordVariable(name: RoleName): string {
  return `LAKEHOUSE_NATS_PASSWORD_${name.toUpperCase()}`;
}

function userBlock(name: RoleName, password: string): string[] {
  const { publish, subscribe } = permissionsOf(name);
  return [
    `      { user: ${quoted(name)}, password: ${password}, permissions: {`,
    `        publish: { allow: [${publish.map(quoted).join(', ')}] }`,
    `        subscribe: { allow: [${subscribe.map(quoted).join(', ')}] }`,
    '      } }',
  ];
}

function clusterLines({ credentials, passwords }: ServerConfig, cluster: ClusterConfig, host: string): string[] {
  const named = passwords === 'named';
  const password = named ? `$${clusterPasswordVariable}` : quoted(credentials.clusterPassword);
  const routes = cluster.routes.map((route) =>
    named ? `$${routeVariable(route)}` : quoted(`nats://cluster:${credentials.clusterPassword}@${route}`),
  );
  return [
    // A server that hangs keeps its connections: only an answer that does not come tells the others and the clients.
    `ping_interval: "${serverLimits.clusterPingIntervalMs}ms"`,
    `ping_max: ${serverLimits.clusterPingsMax}`,
    'cluster {',
    `  name: ${quoted(cluster.name)}`,
    `  host: ${quoted(host)}`,
    `  port: ${cluster.port}`,
    // A server that joins is above all permissions, so the others must be able to tell who may.
    `  authorization: { user: "cluster", password: ${password} }`,
    `  routes: [${routes.join(', ')}]`,
    // Clients are told all servers; what these call themselves may not be reached from where a client is.
    '  no_advertise: true',
    '}',
  ];
}

/** Variables of a node's environment, where one configuration that holds no secret is that of all nodes. */
export const serverNameVariable = 'LAKEHOUSE_NATS_NAME';
export const clusterPasswordVariable = 'LAKEHOUSE_NATS_PASSWORD_CLUSTER';

/** The variable that holds a route: an address with a password in it. */
export function routeVariable(route: string): string {
  return `LAKEHOUSE_NATS_ROUTE_${(route.split(':')[0] ?? '').toUpperCase().replaceAll('-', '_')}`;
}

/** A string of nats-server's configuration language, which knows fewer escapes than JSON. */
function quoted(text: string): string {
  if (hasControlCharacter(text)) {
    throw new ServerError(
      'unsupported-setting',
      `${JSON.stringify(text)} holds a control character, which cannot stand in the server's configuration. Use a name without it.`,
    );
  }
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

function hasControlCharacter(text: string): boolean {
  return [...text].some((character) => character < ' ' || character === '\u007f');
}
