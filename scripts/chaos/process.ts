import { type ChildProcess, spawn } from 'node:child_process';
import { open, readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { endingWithParent } from '../testing/ending-with-parent.ts';

const readyWaitMsDefault = 60_000;
const readyAskMs = 2_000;
const lookEveryMs = 20;
const logTailCharacters = 2_000;

export interface ProcessOptions {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly readyUrl: string;
  /** After so long it is said not to become ready. */
  readonly readyWaitMs?: number;
  /** What it writes; goes on in the same file when it is started again. */
  readonly logFile: string;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface Ended extends Exit {
  /** From the signal to the end. */
  readonly durationMs: number;
}

/** One real process that is started, killed, paused and started again. */
export interface ChaosProcess {
  readonly name: string;
  readonly logFile: string;
  readonly pid: () => number;
  readonly isRunning: () => boolean;
  /** How often it ended without being told to. */
  readonly crashes: () => number;
  /** How it ended the last time, told or not; absent where it never did. */
  readonly lastEnd: () => Exit | undefined;
  /** Starts it where it does not run; resolves when the operating system has it, not when it is ready. */
  start(environment?: Readonly<Record<string, string>>): Promise<void>;
  untilReady(): Promise<void>;
  isReady(): Promise<boolean>;
  /** Ends it as a crash would. */
  kill9(): Promise<Ended>;
  /** Asks it to end, and waits. */
  terminate(): Promise<Ended>;
  /** Stops it from running at all, and lets it run on. */
  pause(): void;
  resume(): void;
  rssBytes(): Promise<number>;
  readLog(): Promise<string>;
}

interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Exit>;
}

export function createChaosProcess(options: ProcessOptions): ChaosProcess {
  const { name, logFile, readyUrl, readyWaitMs = readyWaitMsDefault } = options;
  let running: Running | undefined;
  let isTold = false;
  let crashes = 0;
  let lastEnd: Exit | undefined;

  const start = async (environment: Readonly<Record<string, string>> = {}) => {
    if (running !== undefined) return;
    isTold = false;
    const { command, args } = endingWithParent(options.command, options.args);
    const log = await open(logFile, 'a', 0o600);
    const child = spawn(command, args, {
      env: { ...process.env, ...options.environment, ...environment },
      stdio: ['ignore', log.fd, log.fd],
    });
    await log.close();
    const ended = new Promise<Exit>((resolve) => {
      child.once('error', () => resolve({ code: null, signal: null }));
      child.once('exit', (code, signal) => resolve({ code, signal }));
    });
    const own: Running = { child, ended };
    running = own;
    void ended.then((how) => {
      if (!isTold) crashes++;
      lastEnd = how;
      if (running === own) running = undefined;
    });
  };
  const end = async (signal: NodeJS.Signals): Promise<Ended> => {
    if (running === undefined) return { code: null, signal: null, durationMs: 0 };
    isTold = true;
    const began = performance.now();
    const { child, ended } = running;
    child.kill(signal);
    const how = await ended;
    return { ...how, durationMs: performance.now() - began };
  };
  const isReady = () =>
    fetch(readyUrl, { signal: AbortSignal.timeout(readyAskMs) }).then(
      (response) => response.ok,
      () => false,
    );
  const readLog = () => readFile(logFile, 'utf8').catch(() => '');
  const pid = () => running?.child.pid ?? 0;
  return {
    name,
    logFile,
    pid,
    isRunning: () => running !== undefined,
    crashes: () => crashes,
    lastEnd: () => lastEnd,
    start,
    isReady,
    untilReady: async () => {
      const deadline = performance.now() + readyWaitMs;
      while (!(await isReady())) {
        const why = running === undefined ? 'ended' : `was not ready within ${readyWaitMs / 1_000} s`;
        if (running === undefined || performance.now() > deadline)
          throw new Error(
            `the process "${name}" ${why}; its log ends:\n${(await readLog()).slice(-logTailCharacters)}`,
          );
        await delay(lookEveryMs);
      }
    },
    kill9: () => end('SIGKILL'),
    terminate: () => end('SIGTERM'),
    pause: () => void running?.child.kill('SIGSTOP'),
    resume: () => void running?.child.kill('SIGCONT'),
    rssBytes: async () => {
      const status = await readFile(`/proc/${pid()}/status`, 'utf8').catch(() => '');
      return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
    },
    readLog,
  };
}
