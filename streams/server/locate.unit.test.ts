import { describe, expect, it } from 'vitest';
import type { ServerErrorCode } from './errors.ts';
import { type LocateOptions, locateServer, searchFolders } from './locate.ts';
import type { LocateEffects } from './locate-effects.ts';

/** A machine as data: which executables there are and what each answers; `apt-get install` adds what it is told to. */
interface Machine {
  readonly userId?: number;
  readonly servers: Record<string, string>;
  readonly hasApt?: boolean;
  readonly passwordlessSudo?: boolean;
  readonly systemd?: boolean;
  /** Path to version answer that an installation brings; absent: the installation fails. */
  readonly installs?: Record<string, string>;
  /** What `apt-get indextargets` names, a line each. */
  readonly aptTargets?: readonly string[];
  /** Version answer of the server that Debian's next release has; absent: its lists can not be had. */
  readonly nextRelease?: string;
}

function machineEffects(machine: Machine): { effects: LocateEffects; commands: string[] } {
  const servers = { ...machine.servers };
  const commands: string[] = [];
  const effects: LocateEffects = {
    write: async (path, text) => void commands.push(`write ${path}: ${text.trim()}`),
    userId: machine.userId ?? 1000,
    isExecutable: async (path) => path in servers || (path === '/usr/bin/apt-get' && machine.hasApt === true),
    isDirectory: async (path) => path === '/run/systemd/system' && machine.systemd === true,
    run: async (command, parameters) => {
      const line = [command, ...parameters].join(' ');
      const answer = servers[command];
      if (answer !== undefined) return { exitCode: 0, stdout: answer, stderr: '' };
      commands.push(line);
      if (line === 'sudo -n true') return { exitCode: machine.passwordlessSudo ? 0 : 1, stdout: '', stderr: '' };
      if (line.startsWith('apt-get indextargets'))
        return { exitCode: 0, stdout: (machine.aptTargets ?? []).join('\n'), stderr: '' };
      if (command === 'mktemp') return { exitCode: 0, stdout: '/scratch/lakehouse-apt-12345678\n', stderr: '' };
      if (line.startsWith('env --chdir') && machine.nextRelease === undefined)
        return { exitCode: 100, stdout: '', stderr: 'W: a warning\nE: no such suite\n' };
      if (command === 'mv') servers[parameters.at(-1) ?? ''] = machine.nextRelease ?? '';
      if (!line.includes(' install ')) return { exitCode: 0, stdout: '', stderr: '' };
      if (machine.installs === undefined) return { exitCode: 100, stdout: '', stderr: 'E: no route to host' };
      Object.assign(servers, machine.installs);
      return { exitCode: 0, stdout: '', stderr: '' };
    },
  };
  return { effects, commands };
}

async function locateOn(
  machine: Machine,
  environment: Record<string, string> = { PATH: '/usr/bin:/bin' },
  options: Pick<LocateOptions, 'preferred' | 'report'> = {},
) {
  const { effects, commands } = machineEffects(machine);
  const outcome = await locateServer({ environment, effects, ...options }).then(
    (binary) => ({ binary, code: undefined as ServerErrorCode | undefined, message: '' }),
    (error) => ({ binary: undefined, code: error.code as ServerErrorCode, message: String(error.message) }),
  );
  return { ...outcome, commands };
}

const debian = 'nats-server: v2.9.10';

describe('locateServer', () => {
  it('takes the named server before one on PATH', async () => {
    const { binary } = await locateOn(
      { servers: { '/opt/nats': 'nats-server: v2.15.1', '/usr/bin/nats-server': debian } },
      { PATH: '/usr/bin', LAKEHOUSE_NATS_SERVER: '/opt/nats' },
    );
    expect(binary).toEqual({ path: '/opt/nats', version: { major: 2, minor: 15, patch: 1 } });
  });

  it('does not fall back when the named server is missing', async () => {
    const { code, message, commands } = await locateOn(
      { servers: { '/usr/bin/nats-server': debian } },
      { PATH: '/usr/bin', LAKEHOUSE_NATS_SERVER: '/opt/nats' },
    );
    expect(code).toBe('server-unusable');
    expect(message).toContain('/opt/nats, which is not an executable file');
    expect(commands).toEqual([]);
  });

  it('refuses a named server that is too old', async () => {
    const { code, message } = await locateOn(
      { servers: { '/opt/nats': 'nats-server: v2.8.4' } },
      { LAKEHOUSE_NATS_SERVER: '/opt/nats' },
    );
    expect(code).toBe('server-unusable');
    expect(message).toContain('too old (2.8.4)');
  });

  it('looks into sbin also when PATH lacks it, and installs nothing', async () => {
    const { binary, commands } = await locateOn({
      servers: { '/usr/sbin/nats-server': debian },
      hasApt: true,
      userId: 0,
    });
    expect(binary?.path).toBe('/usr/sbin/nats-server');
    expect(commands).toEqual([]);
  });

  it('passes over a server that is too old for one that is not', async () => {
    const { binary } = await locateOn({
      servers: { '/usr/bin/nats-server': 'nats-server: v2.1.0', '/usr/local/bin/nats-server': debian },
    });
    expect(binary?.path).toBe('/usr/local/bin/nats-server');
  });

  it('installs with apt as root and leaves no service listening under systemd', async () => {
    const { binary, commands } = await locateOn({
      servers: {},
      userId: 0,
      hasApt: true,
      systemd: true,
      installs: { '/usr/sbin/nats-server': debian },
    });
    const apt = 'env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120';
    expect(commands).toEqual([
      `${apt} update`,
      `${apt} install -y --no-install-recommends nats-server`,
      'systemctl disable --now nats-server.service',
    ]);
    expect(binary?.path).toBe('/usr/sbin/nats-server');
  });

  it('uses sudo where it asks for no password', async () => {
    const { binary, commands } = await locateOn({
      servers: {},
      hasApt: true,
      passwordlessSudo: true,
      installs: { '/usr/sbin/nats-server': debian },
    });
    expect(binary?.path).toBe('/usr/sbin/nats-server');
    expect(commands.filter((line) => line !== 'sudo -n true').every((line) => line.startsWith('sudo -n env '))).toBe(
      true,
    );
  });

  it('tells an ordinary user the exact command', async () => {
    const { code, message, commands } = await locateOn({ servers: {}, hasApt: true });
    expect(code).toBe('server-not-found');
    expect(message).toContain('apt-get update && apt-get install -y --no-install-recommends nats-server');
    expect(message).toContain('LAKEHOUSE_NATS_SERVER');
    expect(commands).toEqual(['sudo -n true']);
  });

  it('passes on what apt-get said when it fails', async () => {
    const { code, message } = await locateOn({ servers: {}, userId: 0, hasApt: true });
    expect(code).toBe('install-failed');
    expect(message).toContain('E: no route to host');
  });
});

describe('locateServer, where a newer one is preferred', () => {
  const environment = { PATH: '/usr/bin:/bin', HOME: '/home/ann' };
  const cached = '/home/ann/.cache/lakehouse/nats-server';
  const newer = 'nats-server: v2.15.1';
  const old: Machine = {
    servers: { '/usr/bin/nats-server': debian },
    hasApt: true,
    aptTargets: [
      'Sources bookworm http://mirror/debian/',
      'Packages bookworm-security http://mirror/debian-security/',
      'Packages bookworm-updates http://mirror/debian/',
      'Packages bookworm http://mirror/debian/',
    ],
  };
  const preferring = async (machine: Machine, more: Record<string, string> = {}) => {
    const reported: string[] = [];
    const options = {
      preferred: { major: 2, minor: 15, patch: 0 },
      report: (line: string) => void reported.push(line),
    };
    return { ...(await locateOn(machine, { ...environment, ...more }, options)), reported };
  };

  it('takes an installed one that is new enough, and fetches nothing', async () => {
    const { binary, commands, reported } = await preferring({ ...old, servers: { '/usr/bin/nats-server': newer } });
    expect(binary?.path).toBe('/usr/bin/nats-server');
    expect([...commands, ...reported]).toEqual([]);
  });

  it('takes whatever is named', async () => {
    const { binary, commands } = await preferring(old, { LAKEHOUSE_NATS_SERVER: '/usr/bin/nats-server' });
    expect(binary?.version.minor).toBe(9);
    expect(commands).toEqual([]);
  });

  it('takes the one that was fetched before', async () => {
    const { binary, commands } = await preferring({ ...old, servers: { ...old.servers, [cached]: newer } });
    expect(binary?.path).toBe(cached);
    expect(commands).toEqual([]);
  });

  it("fetches that of Debian's next release from the machine's own mirror, and installs nothing", async () => {
    const { binary, commands, reported } = await preferring({ ...old, nextRelease: newer });
    expect(binary).toEqual({ path: cached, version: { major: 2, minor: 15, patch: 1 } });
    expect(reported).toEqual([
      'nats-server 2.15.0 or later is wanted here; fetching it with apt-get, beside what is installed',
    ]);
    expect(commands).toContain(
      'write /scratch/lakehouse-apt-12345678/sources.list: ' +
        'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://mirror/debian/ testing main',
    );
    expect(commands.some((line) => line.includes('apt-get') && line.includes(' install '))).toBe(false);
    expect(commands.at(-2)).toBe(`mv -f ${cached}.12345678 ${cached}`);
    expect(commands.at(-1)).toBe('rm -rf /scratch/lakehouse-apt-12345678');
  });

  it('takes what is installed where none can be fetched, and says why', async () => {
    const { binary, reported, commands } = await preferring(old);
    expect(binary?.path).toBe('/usr/bin/nats-server');
    expect(reported.at(-1)).toBe('it could not be had (env failed: E: no such suite)');
    expect(commands.at(-1)).toBe('rm -rf /scratch/lakehouse-apt-12345678');
    const { reported: without } = await preferring({ ...old, hasApt: false });
    expect(without.at(-1)).toBe('it could not be had (apt-get on this machine names no mirror of Debian)');
    const { binary: kept, reported: stillOld } = await preferring({ ...old, nextRelease: 'nats-server: v2.10.27' });
    expect(kept?.path).toBe('/usr/bin/nats-server');
    expect(stillOld.at(-1)).toBe('it could not be had (what came does not run here, or is older)');
  });
});

describe('searchFolders', () => {
  it('keeps the order of PATH, leaves out relative and repeated entries', () => {
    expect(searchFolders('/opt/bin:.:node_modules/.bin:/usr/bin:/opt/bin')).toEqual([
      '/opt/bin',
      '/usr/bin',
      '/usr/sbin',
      '/usr/local/sbin',
      '/usr/local/bin',
    ]);
  });
});
