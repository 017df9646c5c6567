import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';
import { join } from 'node:path';
import { projectDirectory } from './project.ts';

/** What a figure depends on besides the code that is measured. */
export interface Surroundings {
  readonly command: string;
  readonly commit: string;
  /** Whether the working tree had changes that are not in the commit, reports apart. */
  readonly dirty: boolean;
  readonly versions: {
    readonly node: string;
    readonly nats_server: string;
    readonly packages: Readonly<Record<string, string>>;
  };
  readonly machine: {
    readonly cores: number;
    readonly model: string;
    readonly memory_bytes: number;
    readonly platform: string;
    /** Of the last minute, when the run began: what else the machine was doing. */
    readonly load_average: number;
    /**
     * Nanoseconds that an idle processor of a virtual machine looks for work before it halts; undefined where the kernel does
     * not say. Waking one that has halted takes some twenty microseconds, several times a request.
     */
    readonly idle_polling_ns?: number;
  };
}

const idleGovernorFile = '/sys/devices/system/cpu/cpuidle/current_governor';
const idlePollingFile = '/sys/module/haltpoll/parameters/guest_halt_poll_ns';

const measuredPackages = ['fastify', 'hnswlib-node', 'nats', 'onnxruntime-node', 'pino', 'zod'] as const;

/** Looks around at the start of a run. What git can not tell is said as `unknown`. */
export function readSurroundings(script: string, argv: readonly string[], natsServerVersion: string): Surroundings {
  const root = projectDirectory();
  const processors = cpus();
  const idlePolling = readIdlePolling();
  return {
    command: ['node', script, ...argv].join(' '),
    commit: git(root, ['rev-parse', 'HEAD']) ?? 'unknown',
    dirty: (git(root, ['status', '--porcelain', '--', '.', ':!reports']) ?? '') !== '',
    versions: {
      node: process.versions.node,
      nats_server: natsServerVersion,
      packages: Object.fromEntries(measuredPackages.map((name) => [name, installedVersion(root, name)])),
    },
    machine: {
      cores: processors.length,
      model: processors[0]?.model ?? 'unknown',
      memory_bytes: totalmem(),
      platform: `${process.platform} ${process.arch}`,
      load_average: loadavg()[0] ?? 0,
      ...(idlePolling === undefined ? {} : { idle_polling_ns: idlePolling }),
    },
  };
}

function readIdlePolling(): number | undefined {
  try {
    if (readFileSync(idleGovernorFile, 'utf8').trim() !== 'haltpoll') return undefined;
    return Number(readFileSync(idlePollingFile, 'utf8'));
  } catch {
    return undefined;
  }
}

function git(root: string, parameters: readonly string[]): string | undefined {
  try {
    return execFileSync('git', parameters, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return undefined;
  }
}

function installedVersion(root: string, name: string): string {
  const manifest: unknown = JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8'));
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest
    ? String(manifest.version)
    : 'unknown';
}
