import { describe, expect, it } from 'vitest';
import type { ServerErrorCode } from './errors.ts';
import { locateServer, searchFolders } from './locate.ts';
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
}

function machineEffects(machine: Machine): { effects: LocateEffects; commands: string[] } {
  const servers = { ...machine.servers };
  const commands: string[] = [];
  const effects: LocateEffects = {
    userId: machine.userId ?? 1000,
    isExecutable: async (path) => path in servers || (path === '/usr/bin/apt-get' && machine.hasApt === true),
    isDirectory: async (path) => path === '/run/systemd/system' && machine.systemd === true,
    run: async (command, parameters) => {
      const line = [command, ...parameters].join(' ');
      const answer = servers[command];
      if (answer !== undefined) return { exitCode: 0, stdout: answer, stderr: '' };
      commands.push(line);
      if (line === 'sudo -n true') return { exitCode: machine.passwordlessSudo ? 0 : 1, stdout: '', stderr: '' };
      if (!line.includes(' install ')) return { exitCode: 0, stdout: '', stderr: '' };
      if (machine.installs === undefined) return { exitCode: 100, stdout: '', stderr: 'E: no route to host' };
      Object.assign(servers, machine.installs);
      return { exitCode: 0, stdout: '', stderr: '' };
    },
  };
  return { effects, commands };
}

async function locateOn(machine: Machine, environment: Record<string, string> = { PATH: '/usr/bin:/bin' }) {
  const { effects, commands } = machineEffects(machine);
  const outcome = await locateServer({ environment, effects }).then(
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
