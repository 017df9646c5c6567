import { delimiter, join } from 'node:path';
import { ServerError } from './errors.ts';
import { fetchedServerPath, fetchServer } from './fetch-server.ts';
import { type LocateEffects, systemEffects } from './locate-effects.ts';
import {
  formatServerVersion,
  isAtLeast,
  oldestServerVersion,
  parseServerVersion,
  type ServerVersion,
} from './version.ts';

/** A nats-server executable that answered with its version. */
export interface ServerBinary {
  readonly path: string;
  readonly version: ServerVersion;
}

export interface LocateOptions {
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly effects?: LocateEffects;
  /** Whether apt may be used where no server is found; true when absent. */
  readonly installAllowed?: boolean;
  /** Told one line before anything slow happens (an installation). */
  readonly report?: (line: string) => void;
  /** Where none so new is installed, one is fetched if that is possible; where not, what is there is taken. */
  readonly preferred?: ServerVersion;
}

/** Debian puts servers into sbin, which an ordinary user's PATH lacks. */
const usualFolders = ['/usr/sbin', '/usr/local/sbin', '/usr/local/bin', '/usr/bin'];

const installByHand = 'apt-get update && apt-get install -y --no-install-recommends nats-server';
const remedies =
  `Install it as root (\`${installByHand}\`), or download a release of 2.9 or later from ` +
  'https://github.com/nats-io/nats-server/releases and set LAKEHOUSE_NATS_SERVER to the path of its executable.';

/**
 * Finds a usable nats-server: `LAKEHOUSE_NATS_SERVER` (nothing else is tried when it is set), then PATH and the usual
 * folders, then an installation with apt where this user may do that. One that is older than the `preferred` version gives
 * way to a newer one of the user's cache, which is fetched there where it is missing.
 *
 * @throws ServerError `server-unusable` (the named one does not run or is too old), `server-not-found`,
 * `install-failed`; each message says what to do.
 */
export async function locateServer(options: LocateOptions = {}): Promise<ServerBinary> {
  const { environment = process.env, effects = systemEffects, installAllowed = true, preferred } = options;
  const report = options.report ?? (() => undefined);
  const named = environment.LAKEHOUSE_NATS_SERVER;
  if (named !== undefined && named !== '') return inspectNamed(named, effects);
  const wanted = { environment, effects, installAllowed, report };
  const installed = await locateInstalled(wanted);
  if (preferred === undefined || isAtLeast(installed.version, preferred)) return installed;
  return (await locateFetched(wanted, preferred)) ?? installed;
}

type Search = Required<Omit<LocateOptions, 'preferred'>>;

async function locateInstalled({ environment, effects, installAllowed, report }: Search): Promise<ServerBinary> {
  const found = await search(environment, effects);
  if (found.binary !== undefined) return found.binary;
  if (!installAllowed) throw notFound(found.unusable, 'Installing it was not allowed here.');
  await installWithApt(effects, report, found.unusable);

  const installed = await search(environment, effects);
  if (installed.binary !== undefined) return installed.binary;
  throw notFound(installed.unusable, 'apt-get installed the package, but it brought no usable server.');
}

/** The server of the user's cache, fetched where it is missing or too old; undefined where none is to be had. */
async function locateFetched(
  { environment, effects, installAllowed, report }: Search,
  preferred: ServerVersion,
): Promise<ServerBinary | undefined> {
  const path = fetchedServerPath(environment);
  if (path === undefined) return undefined;
  const inspectFetched = async () => {
    const inspected = await inspect(path, effects);
    return typeof inspected !== 'string' && isAtLeast(inspected.version, preferred) ? inspected : undefined;
  };
  const known = await inspectFetched();
  if (known !== undefined || !installAllowed) return known;
  const wanted = formatServerVersion(preferred);
  report(`nats-server ${wanted} or later is wanted here; fetching it with apt-get, beside what is installed`);
  const failure = await fetchServer(path, effects);
  const fetched = failure === undefined ? await inspectFetched() : undefined;
  if (fetched === undefined) report(`it could not be had (${failure ?? 'what came does not run here, or is older'})`);
  return fetched;
}

async function inspectNamed(path: string, effects: LocateEffects): Promise<ServerBinary> {
  const inspected = await inspect(path, effects);
  if (typeof inspected !== 'string') return inspected;
  throw new ServerError(
    'server-unusable',
    `LAKEHOUSE_NATS_SERVER names ${inspected}. Set it to a nats-server executable of ` +
      `${formatServerVersion(oldestServerVersion)} or later, or unset it to have one searched for.`,
  );
}

/** A usable binary, or one sentence fragment saying why the file is none. */
async function inspect(path: string, effects: LocateEffects): Promise<ServerBinary | string> {
  if (!(await effects.isExecutable(path))) return `${path}, which is not an executable file`;
  const answer = await effects.run(path, ['--version']);
  const version = parseServerVersion(answer.stdout) ?? parseServerVersion(answer.stderr);
  if (answer.exitCode !== 0 || version === undefined) return `${path}, which does not tell its version`;
  if (!isAtLeast(version, oldestServerVersion)) return `${path}, which is too old (${formatServerVersion(version)})`;
  return { path, version };
}

interface SearchResult {
  readonly binary?: ServerBinary;
  readonly unusable: readonly string[];
}

async function search(
  environment: Readonly<Record<string, string | undefined>>,
  effects: LocateEffects,
): Promise<SearchResult> {
  const unusable: string[] = [];
  for (const folder of searchFolders(environment.PATH)) {
    const path = join(folder, 'nats-server');
    if (!(await effects.isExecutable(path))) continue;
    const inspected = await inspect(path, effects);
    if (typeof inspected !== 'string') return { binary: inspected, unusable };
    unusable.push(inspected);
  }
  return { unusable };
}

/** The folders of PATH in their order, then the usual ones; relative entries are left out, as they depend on where one stands. */
export function searchFolders(path: string | undefined): readonly string[] {
  const entries = (path ?? '').split(delimiter).filter((entry) => entry.startsWith('/'));
  return [...new Set([...entries, ...usualFolders])];
}

async function installWithApt(
  effects: LocateEffects,
  report: (line: string) => void,
  unusable: readonly string[],
): Promise<void> {
  const prefix = await privilege(effects);
  if (prefix === undefined) throw notFound(unusable, 'This user can install no packages with apt-get.');
  report('nats-server was not found; installing it with apt-get (this takes up to a minute)');
  // sudo drops the environment, so it is set behind sudo.
  const apt = [...prefix, 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-o', 'DPkg::Lock::Timeout=120'];
  // A failing update is no reason to stop: the lists that are there may do.
  await runList(effects, [...apt, 'update']);
  const install = await runList(effects, [...apt, 'install', '-y', '--no-install-recommends', 'nats-server']);
  if (install.exitCode !== 0) {
    const reason = install.stderr.trim().split('\n').slice(-3).join(' ');
    throw new ServerError('install-failed', `apt-get could not install nats-server: ${reason}. ${remedies}`);
  }
  // Debian's package starts a server of its own, without credentials, on port 4222; this product starts its own.
  if (await effects.isDirectory('/run/systemd/system')) {
    await runList(effects, [...prefix, 'systemctl', 'disable', '--now', 'nats-server.service']);
  }
}

/** What goes before a command to run it as root: nothing, sudo, or `undefined` where neither is possible. */
async function privilege(effects: LocateEffects): Promise<readonly string[] | undefined> {
  if (!(await effects.isExecutable('/usr/bin/apt-get'))) return undefined;
  if (effects.userId === 0) return [];
  const sudo = await effects.run('sudo', ['-n', 'true']);
  return sudo.exitCode === 0 ? ['sudo', '-n'] : undefined;
}

function runList(effects: LocateEffects, command: readonly string[]) {
  const [executable = '', ...parameters] = command;
  return effects.run(executable, parameters);
}

function notFound(unusable: readonly string[], why: string): ServerError {
  const seen = unusable.length === 0 ? '' : ` Found only ${unusable.join('; ')}.`;
  return new ServerError(
    'server-not-found',
    `nats-server is neither on PATH nor in ${usualFolders.join(', ')}, and nothing runs without it.${seen} ${why} ${remedies}`,
  );
}
