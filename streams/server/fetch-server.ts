import { join } from 'node:path';
import type { CommandResult, LocateEffects } from './locate-effects.ts';

/** Debian's next release: its server runs on the one before. */
const suite = 'testing';
const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** Where a fetched server lies: in the user's cache. Undefined where the environment names no such place. */
export function fetchedServerPath(environment: Readonly<Record<string, string | undefined>>): string | undefined {
  const { XDG_CACHE_HOME: cache, HOME: home } = environment;
  const folder = cache?.startsWith('/') ? cache : home === undefined ? undefined : join(home, '.cache');
  return folder === undefined ? undefined : join(folder, 'lakehouse', 'nats-server');
}

/**
 * Fetches the nats-server of Debian's next release from the mirror that this machine uses, next to whatever is installed:
 * package lists and cache of their own, nothing installed, no root.
 *
 * @returns undefined when it lies at `path`, else one sentence fragment saying why not
 */
export async function fetchServer(path: string, effects: LocateEffects): Promise<string | undefined> {
  const mirror = await debianMirror(effects);
  if (mirror === undefined) return 'apt-get on this machine names no mirror of Debian';
  // Another process may do the same: each works in a folder of its own, and the last one's server stays.
  const made = await effects.run('mktemp', ['--directory', '--tmpdir', 'lakehouse-apt-XXXXXXXX']);
  const work = made.stdout.trim();
  if (made.exitCode !== 0 || work === '') return 'there is no room for temporary files';
  try {
    return await fetchInto(work, mirror, path, effects);
  } finally {
    await effects.run('rm', ['-rf', work]);
  }
}

async function fetchInto(
  work: string,
  mirror: string,
  path: string,
  effects: LocateEffects,
): Promise<string | undefined> {
  const list = join(work, 'sources.list');
  const lists = join(work, 'lists');
  const cache = join(work, 'cache');
  const unpacked = join(work, 'unpacked');
  const part = `${path}.${work.slice(-8)}`;
  const apart = [`Dir::Etc::SourceList=${list}`, 'Dir::Etc::SourceParts=-', `Dir::State::Lists=${lists}`];
  const options = [...apart, `Dir::Cache=${cache}`].flatMap((option) => ['-o', option]);
  const apt = ['--chdir', work, 'apt-get', '-q', ...options];
  await effects.write(list, `deb [signed-by=${keyring}] ${mirror} ${suite} main\n`);
  const steps: readonly (readonly [string, ...string[]])[] = [
    ['mkdir', '-p', join(lists, 'partial'), join(cache, 'archives', 'partial'), unpacked],
    ['env', ...apt, 'update'],
    ['env', ...apt, 'download', 'nats-server'],
    ['find', work, '-maxdepth', '1', '-name', '*.deb', '-exec', 'dpkg', '-x', '{}', unpacked, ';'],
    ['install', '-D', '-m', '755', join(unpacked, 'usr', 'sbin', 'nats-server'), part],
    ['mv', '-f', part, path],
  ];
  for (const [command, ...parameters] of steps) {
    const result = await effects.run(command, parameters);
    if (result.exitCode !== 0) return `${command} failed: ${lastLine(result)}`;
  }
  return undefined;
}

/** The first mirror of a release, security and updates left out. */
async function debianMirror(effects: LocateEffects): Promise<string | undefined> {
  if (!(await effects.isExecutable('/usr/bin/apt-get'))) return undefined;
  const { stdout } = await effects.run('apt-get', ['indextargets', '--format', '$(CREATED_BY) $(RELEASE) $(REPO_URI)']);
  for (const line of stdout.split('\n')) {
    const [createdBy, release = '', uri = ''] = line.split(' ');
    if (createdBy === 'Packages' && !release.includes('-') && /\/debian\/?$/.test(uri)) return uri;
  }
  return undefined;
}

function lastLine({ stdout, stderr }: CommandResult): string {
  return (stderr.trim() || stdout.trim()).split('\n').at(-1) ?? '';
}
