import { resolve } from 'node:path';
import type { Configuration } from '../../schemas/configuration.ts';
import { systemClock } from '../../streams/clock.ts';
import { ensureObjectStore } from '../../streams/open-object-store.ts';
import { loadCredentials } from '../../streams/server/credentials.ts';
import { ServerError } from '../../streams/server/errors.ts';
import { serverLimits } from '../../streams/server/limits.ts';
import { locateServer } from '../../streams/server/locate.ts';
import { clusterSince, formatServerVersion, isAtLeast, type ServerVersion } from '../../streams/server/version.ts';
import { topologyBytes } from '../../streams/topology.ts';
import { configurationOf } from '../command/log-access.ts';
import { distDirectory } from '../command/paths.ts';
import type { ProcessSpec } from '../supervise/child.ts';
import { type Claim, claimDataDir } from '../supervise/claim.ts';
import { type SupervisorEvent, startSupervisor } from '../supervise/supervisor.ts';
import { alreadyRunning, noCertificates, notUp, serverFailure } from './failures.ts';
import { chooseNodes, prepareNodes, refuseRacing } from './nodes.ts';
import { type Instances, type PlannedProcess, planStack, serverNames, workerCount } from './plan.ts';
import { choosePorts } from './ports.ts';
import { createServerProbes, httpProbe } from './probes.ts';
import { readStack, type StackRecord } from './running.ts';

/** A fresh machine loads the model and makes all streams in a few seconds; a large index takes minutes to read. */
const readyDeadlineMs = 600_000;

export interface StackOptions {
  readonly dataDirectory: string;
  /** 0: any free port. */
  readonly gatewayPort: number;
  readonly natsPort: number;
  /** How many nats-servers keep every stream; as many as keep those of the data directory, where left out. */
  readonly nodes?: number | undefined;
  readonly gateways?: number;
  readonly instances: Instances;
  /** Laid over the environment for every process: what flags decided. */
  readonly environment: Readonly<Record<string, string>>;
  /** Told in a line what is being done. */
  readonly report: (line: string) => void;
  /** Gets the merged view of all logs, a line a call; absent: only the log files are written. */
  readonly onLogLine?: (line: string) => void;
}

/** Every nats-server, worker and gateway, each a process, all ready. */
export interface RunningStack {
  readonly record: StackRecord;
  /** Resolves once all has ended: 0 when it was asked to, 1 when a process could not be kept up. */
  readonly ended: Promise<number>;
  stop(): Promise<number>;
}

/**
 * Starts everything on one machine and waits until it is ready. SIGINT and SIGTERM to this process stop it.
 * @throws CommandError: 4 where a stack runs on the data directory already or a port is taken, 2 for a configuration
 * that does not fit, 3 without a nats-server, 1 where a process does not come up
 */
export async function startStack(options: StackOptions): Promise<RunningStack> {
  const given = { ...options, dataDirectory: resolve(options.dataDirectory) };
  const { dataDirectory, report } = given;
  const configuration = configurationOf({
    ...process.env,
    ...options.environment,
    LAKEHOUSE_DATA_DIR: dataDirectory,
  });
  if (configuration.gateway.tlsFiles !== undefined || configuration.nats.tls !== undefined) throw noCertificates();
  const outcome = await claimDataDir(dataDirectory, new Date());
  if (outcome.kind === 'already-running') throw alreadyRunning(dataDirectory, outcome.stack.pid);
  for (const name of outcome.orphansStopped) report(`stopped ${name}, which an earlier run had left behind`);
  let specs: Prepared;
  try {
    specs = await prepare(given, configuration);
  } catch (error) {
    outcome.claim.release();
    throw error instanceof ServerError ? serverFailure(error) : error;
  }
  return supervise(given, outcome.claim, specs);
}

async function supervise(options: StackOptions, claim: Claim, { specs, ports }: Prepared): Promise<RunningStack> {
  const { dataDirectory, report, onLogLine } = options;
  const waitingFor = new Set(specs.map(({ name }) => name));
  let failed: string | undefined;
  const supervisor = startSupervisor({
    claim,
    specs,
    ports,
    onEvent: (event) => {
      if (event.type === 'phase' && event.phase === 'ready') waitingFor.delete(event.name);
      if (event.type === 'finished') failed = event.failed;
      const line = sentenceOf(event);
      if (line !== undefined) report(line);
    },
    ...(onLogLine === undefined ? {} : { onLogLine }),
  });
  const late = setTimeout(() => void supervisor.stop(), readyDeadlineMs);
  const isReady = await supervisor.ready;
  clearTimeout(late);
  const record = isReady ? readStack(dataDirectory) : undefined;
  if (record !== undefined) return { record, ended: supervisor.finished, stop: () => supervisor.stop() };
  await supervisor.stop();
  throw notUp(dataDirectory, failed, [...waitingFor]);
}

function sentenceOf(event: SupervisorEvent): string | undefined {
  if (event.type === 'phase' && event.phase === 'ready') return `${event.name} is ready (pid ${event.pid})`;
  if (event.type === 'phase' && event.phase === 'unready') return `${event.name} no longer says that it is ready`;
  if (event.type !== 'exit') return undefined;
  if (event.restartInMs === undefined) return `${event.name} has stopped`;
  const how = event.error ?? (event.signal === undefined ? `exit code ${event.exitCode}` : event.signal);
  return `${event.name} ended by itself (${how}) and is started again in ${Math.round(event.restartInMs)} ms`;
}

function oldCluster(version: ServerVersion): string {
  return (
    `WARNING: several nodes of nats-server ${formatServerVersion(version)} may lose what they acknowledged where one of them ` +
    `hangs and comes back: the fault campaign runs with ${formatServerVersion(clusterSince)} or later. For anything but a ` +
    'trial set LAKEHOUSE_NATS_SERVER to the executable of one'
  );
}

interface Prepared {
  readonly specs: readonly ProcessSpec[];
  readonly ports: Readonly<Record<string, number>>;
}

async function prepare(options: StackOptions, configuration: Configuration): Promise<Prepared> {
  const { dataDirectory, instances, report } = options;
  const { streamBytes, nats, gateway } = configuration;
  const nodeCount = chooseNodes(dataDirectory, options.nodes);
  const binary = await locateServer({ report, ...(nodeCount === 1 ? {} : { preferred: clusterSince }) });
  report(`nats-server ${formatServerVersion(binary.version)} at ${binary.path}`);
  if (nodeCount > 1 && !isAtLeast(binary.version, clusterSince)) report(oldCluster(binary.version));
  refuseRacing(nodeCount, instances.ingest, binary.version);
  // Ingest and search do without snapshots while the object store is away.
  await ensureObjectStore(configuration, systemClock).catch((error: unknown) =>
    report(error instanceof Error ? error.message : String(error)),
  );
  const credentials = await loadCredentials(dataDirectory);
  const ports = await choosePorts({
    gateway: { host: gateway.host, port: options.gatewayPort, count: options.gateways ?? 1 },
    nats: { port: options.natsPort, count: nodeCount },
    healthCount: workerCount(instances),
  });
  const fileStoreBytesMax = Math.max(serverLimits.fileStoreBytesMax, topologyBytes(streamBytes));
  const nodes = await prepareNodes(ports.nodes, { dataDirectory, binary, credentials, fileStoreBytesMax });
  const plan = planStack({
    dataDirectory,
    distDirectory: distDirectory(),
    servers: nodes,
    gateway: { host: gateway.host, ports: ports.gateways },
    instances,
    credentials,
    environment: options.environment,
    healthPorts: ports.health,
  });
  const topology = { replicas: nodeCount === 1 ? nats.replicas : nodeCount, streamBytes };
  const probes = createServerProbes({ nodes, credentials, topology, report });
  const probeOf = new Map(serverNames(nodeCount).map((name, at) => [name, probes[at]]));
  return {
    specs: plan.map((planned) => specOf(planned, probeOf.get(planned.name) ?? httpProbe(planned.healthUrl ?? ''))),
    ports: Object.fromEntries(plan.map(({ name, port }) => [name, port])),
  };
}

function specOf(planned: PlannedProcess, readyProbe: ProcessSpec['readyProbe']): ProcessSpec {
  const { name, command, args, environment: env, dependsOn, dependenciesMin } = planned;
  const min = dependenciesMin === undefined ? {} : { dependenciesMin };
  return { name, command, args, env, dependsOn, ...min, readyProbe };
}
