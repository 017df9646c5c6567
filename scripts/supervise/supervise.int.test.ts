import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ProcessSpec } from './child.ts';
import { type Claim, claimDataDir } from './claim.ts';
import { isSameProcess, processStartTime } from './process-identity.ts';
import { readRunning, type StackFile, stackFilePath, stopRunning } from './running.ts';
import { processLogFile, type Supervisor, type SupervisorEvent, startSupervisor } from './supervisor.ts';

const startedAt = new Date(0);
const limits = { backoffBaseMs: 1, probeStartingMs: 5, probeReadyMs: 5, drainMs: 5_000, startAttemptsMax: 3 };

let dataDir = '';
const cleanups: (() => unknown)[] = [];
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'lakehouse-supervise-'));
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  rmSync(dataDir, { recursive: true, force: true });
});

/** A node script as a process: it is ready once it has made its file, and writes down each start and end. */
function script(name: string, dependsOn: readonly string[], body = ''): ProcessSpec {
  const file = join(dataDir, `${name}.ready`);
  const code = `
    const { appendFileSync, writeFileSync } = require('node:fs');
    const note = (word) => appendFileSync(process.env.HISTORY, word + ' ' + process.env.NAME + '\\n');
    note('start');
    process.on('SIGTERM', () => { note('end'); process.exit(0); });
    setInterval(() => {}, 60_000);
    ${body}
    writeFileSync(process.env.READY, String(process.pid));
    console.log(JSON.stringify({ level: 30, time: 0, msg: 'ready' }));`;
  return {
    name,
    dependsOn,
    command: process.execPath,
    args: ['-e', code],
    env: { HISTORY: join(dataDir, 'history'), NAME: name, READY: file },
    readyProbe: async () => existsSync(file),
  };
}

function history(): string[] {
  return readFileSync(join(dataDir, 'history'), 'utf8').trim().split('\n');
}

/** Waits until something that other processes do has come about; the test's deadline is the limit. */
async function until<T>(look: () => T | undefined | false): Promise<T> {
  for (;;) {
    const found = look();
    if (found !== undefined && found !== false) return found;
    await setImmediate();
  }
}

async function claimed(): Promise<Claim> {
  const outcome = await claimDataDir(dataDir, startedAt);
  if (outcome.kind !== 'claimed') throw new Error('the data directory is claimed already');
  return outcome.claim;
}

async function supervise(specs: readonly ProcessSpec[]) {
  const events: SupervisorEvent[] = [];
  const lines: string[] = [];
  const supervisor: Supervisor = startSupervisor({
    claim: await claimed(),
    specs,
    ports: { gateway: 3110 },
    onEvent: (event) => events.push(event),
    onLogLine: (line) => lines.push(line),
    limits,
    handleSignals: false,
  });
  cleanups.push(() => supervisor.stop());
  return { supervisor, events, lines };
}

describe('a supervised stack', () => {
  it('starts in order, shows and keeps what is said, and stops in reverse order', async () => {
    const { supervisor, events, lines } = await supervise([
      script('gateway', ['index']),
      script('index', ['nats']),
      script('nats', []),
    ]);
    expect(await supervisor.ready).toBe(true);
    const stack = readRunning(dataDir);
    expect(stack).toMatchObject({ pid: process.pid, startedAt: startedAt.toISOString(), ports: { gateway: 3110 } });
    expect(stack?.children.map(({ name }) => name)).toEqual(['nats', 'index', 'gateway']);
    expect(stack?.children.every(isSameProcess)).toBe(true);
    expect(await supervisor.stop()).toBe(0);

    const starts = ['start nats', 'start index', 'start gateway'];
    expect(history()).toEqual([...starts, 'end gateway', 'end index', 'end nats']);
    expect(events.at(-1)).toEqual({ type: 'finished', exitCode: 0 });
    expect(lines).toContain('00:00:00.000 index   INFO  ready');
    expect(readFileSync(processLogFile(dataDir, 'index'), 'utf8')).toBe('{"level":30,"time":0,"msg":"ready"}\n');
    expect(stack?.children.some(isSameProcess)).toBe(false);
    expect(existsSync(stackFilePath(dataDir))).toBe(false);
  });

  it('starts a crashed process again and leaves the others alone', async () => {
    const { supervisor, events } = await supervise([script('nats', []), script('index', ['nats'])]);
    await supervisor.ready;
    const before = readRunning(dataDir)?.children ?? [];
    const crashed = before.find(({ name }) => name === 'index');
    process.kill(crashed?.pid ?? 0, 'SIGKILL');
    const after = await until(() => {
      const children = readRunning(dataDir)?.children ?? [];
      return children.some(({ name, pid }) => name === 'index' && pid !== crashed?.pid) && children;
    });
    expect(after.find(({ name }) => name === 'nats')).toEqual(before.find(({ name }) => name === 'nats'));
    expect(events).toContainEqual(expect.objectContaining({ type: 'exit', name: 'index', signal: 'SIGKILL' }));
    await until(() => history().filter((line) => line === 'start index').length === 2);
  });

  it('gives up, with exit code 1, when a process cannot start', async () => {
    const broken = { ...script('index', ['nats']), command: '/nonexistent/index' };
    const { supervisor, events } = await supervise([script('nats', []), broken]);
    expect(await supervisor.ready).toBe(false);
    expect(await supervisor.finished).toBe(1);
    expect(history()).toEqual(['start nats', 'end nats']);
    expect(events.at(-1)).toEqual({ type: 'finished', exitCode: 1, failed: 'index' });
    expect(events.filter((event) => event.type === 'exit' && event.error?.includes('ENOENT'))).toHaveLength(3);
  });

  it('reference 10.54: leaves nothing behind of what a process had started itself', async () => {
    const note = join(dataDir, 'grandchild');
    const body = `const child = require('node:child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e4)']);
      writeFileSync(${JSON.stringify(note)}, String(child.pid));`;
    const { supervisor } = await supervise([script('index', [], body)]);
    await supervisor.ready;
    const pid = Number(readFileSync(note, 'utf8'));
    expect(processStartTime(pid)).toBeDefined();
    await supervisor.stop();
    await until(() => processStartTime(pid) === undefined);
  });

  it('stops on a signal, and listens to signals only while it runs', async () => {
    const listeners = () => process.listenerCount('SIGHUP');
    const before = listeners();
    const supervisor = startSupervisor({ claim: await claimed(), specs: [script('nats', [])], ports: {}, limits });
    cleanups.push(() => supervisor.stop());
    expect(listeners()).toBe(before + 1);
    await supervisor.ready;
    process.emit('SIGHUP', 'SIGHUP');
    expect(await supervisor.finished).toBe(0);
    expect(history()).toEqual(['start nats', 'end nats']);
    expect(listeners()).toBe(before);
  });

  it('ends by force what does not end when asked', async () => {
    const deaf = script('index', [], `process.removeAllListeners('SIGTERM'); process.on('SIGTERM', () => {});`);
    const events: SupervisorEvent[] = [];
    const supervisor = startSupervisor({
      claim: await claimed(),
      specs: [deaf],
      ports: {},
      onEvent: (event) => events.push(event),
      limits: { ...limits, drainMs: 50 },
      handleSignals: false,
    });
    await supervisor.ready;
    expect(await supervisor.stop()).toBe(0);
    expect(events).toContainEqual({ type: 'exit', name: 'index', signal: 'SIGKILL' });
  });
});

describe('claiming a data directory', () => {
  function standIn(): ChildProcess {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e4)'], { detached: true, stdio: 'ignore' });
    cleanups.push(() => child.kill('SIGKILL'));
    return child;
  }

  function known(child: ChildProcess) {
    return { pid: child.pid ?? 0, startTime: processStartTime(child.pid ?? 0) ?? '' };
  }

  function writeStack(stack: Partial<StackFile>): void {
    const file = { schema: 'lakehouse.up.v1', startedAt: startedAt.toISOString(), ports: {}, children: [], ...stack };
    writeFileSync(stackFilePath(dataDir), JSON.stringify(file));
  }

  it('is for one only', async () => {
    const claim = await claimed();
    expect(await claimDataDir(dataDir, startedAt)).toMatchObject({
      kind: 'already-running',
      stack: { pid: process.pid },
    });
    claim.release();
    (await claimed()).release();
    expect(existsSync(stackFilePath(dataDir))).toBe(false);
  });

  it('takes over from a dead supervisor and ends the children that it left', async () => {
    const orphan = standIn();
    const ended = once(orphan, 'exit');
    const children = [
      { name: 'index', ...known(orphan) },
      // The same id as a process of today, but another start: not a child, so it must live.
      { name: 'reused', pid: process.pid, startTime: 'before' },
    ];
    writeStack({ pid: process.pid, startTime: 'before', children });
    expect(readRunning(dataDir)).toBeUndefined();
    const outcome = await claimDataDir(dataDir, startedAt);
    expect(outcome).toMatchObject({ kind: 'claimed', orphansStopped: ['index'] });
    expect(await ended).toEqual([null, 'SIGTERM']);
    expect(readRunning(dataDir)).toMatchObject({ pid: process.pid, children: [] });
    if (outcome.kind === 'claimed') outcome.claim.release();
  });

  it('takes over from a file that nobody can read', async () => {
    writeFileSync(stackFilePath(dataDir), '{"schema":');
    (await claimed()).release();
  });

  it('stops a running supervisor, and says when there is none', async () => {
    expect(await stopRunning(dataDir)).toBe('not-running');
    const running = standIn();
    const ended = once(running, 'exit');
    writeStack(known(running));
    expect(await stopRunning(dataDir)).toBe('stopped');
    expect(await ended).toEqual([null, 'SIGTERM']);
  });

  it('ends a supervisor that does not listen, and its children', async () => {
    const deaf = spawn(process.execPath, [
      '-e',
      'process.on("SIGTERM", () => {}); console.log(1); setInterval(() => {}, 1e4)',
    ]);
    cleanups.push(() => deaf.kill('SIGKILL'));
    await once(deaf.stdout, 'data');
    const child = standIn();
    const ended = Promise.all([once(deaf, 'exit'), once(child, 'exit')]);
    writeStack({ ...known(deaf), children: [{ name: 'index', ...known(child) }] });
    expect(await stopRunning(dataDir, 100)).toBe('killed');
    expect(await ended).toEqual([
      [null, 'SIGKILL'],
      [null, 'SIGTERM'],
    ]);
    expect(existsSync(stackFilePath(dataDir))).toBe(false);
  });
});
