import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import type { SupervisorLimits } from './limits.ts';
import { lineSplitter, openLogFile } from './log-file.ts';
import { killGroup, sendSignal } from './process-identity.ts';

/** A process to be kept running. */
export interface ProcessSpec {
  /** Names its log file too: letters, digits and hyphens. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Laid over the supervisor's own environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Asked again and again while the process runs; a rejection and a late answer count as false. */
  readonly readyProbe: (signal: AbortSignal) => Promise<boolean>;
  /** Names of those that must be ready before it starts, and end after it. */
  readonly dependsOn: readonly string[];
  /** How many of those have to be ready; all, unless given. */
  readonly dependenciesMin?: number;
}

/** How a process ended: with an exit code, by a signal, or not even started (`error`). */
export interface ChildExit {
  readonly exitCode?: number;
  readonly signal?: NodeJS.Signals;
  readonly error?: string;
}

export interface ChildHandle {
  /** `undefined` when it could not be started; `onExit` tells then too. */
  readonly pid: number | undefined;
  terminate(): void;
  /** Ends it and all that it has started, at once. */
  kill(): void;
}

export interface ChildOptions {
  readonly limits: SupervisorLimits;
  readonly logFile: string;
  readonly onLine: (line: string) => void;
  readonly onProbe: (ready: boolean) => void;
  /** Called once, never before `startChild` has returned. */
  readonly onExit: (exit: ChildExit) => void;
}

/**
 * Starts a process in a group of its own: an interrupt from the terminal reaches only the supervisor, which ends the
 * processes in their order, and what a process started ends with it.
 */
export function startChild(spec: ProcessSpec, options: ChildOptions): ChildHandle {
  const { command, args, env, cwd } = spec;
  let child: ChildProcess;
  try {
    const environment = { ...process.env, ...env };
    child = spawn(command, [...args], { env: environment, cwd, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (error) {
    setImmediate(() => options.onExit({ error: (error as Error).message }));
    return { pid: undefined, terminate: () => undefined, kill: () => undefined };
  }
  const { pid } = child;
  const closeLog = captureOutput(child, options);
  const ended = new AbortController();
  const finish = (exit: ChildExit) => {
    if (ended.signal.aborted) return;
    ended.abort();
    closeLog();
    options.onExit(exit);
  };
  child.once('error', (error) => {
    if (pid === undefined) finish({ error: error.message });
  });
  child.once('exit', (code, signal) => {
    if (pid !== undefined) killGroup(pid);
    const exit = { ...(code === null ? {} : { exitCode: code }), ...(signal === null ? {} : { signal }) };
    // Its last words may still be in the pipe. One that left the group could hold the pipe for ever.
    const late = setTimeout(finish, options.limits.outputDrainMs, exit);
    child.once('close', () => {
      clearTimeout(late);
      finish(exit);
    });
  });
  if (pid !== undefined) void probeUntil(ended.signal, spec, options);
  const whileAlive = (action: (pid: number) => void) => () => {
    if (pid !== undefined && child.exitCode === null && child.signalCode === null) action(pid);
  };
  return { pid, terminate: whileAlive((id) => void sendSignal(id, 'SIGTERM')), kill: whileAlive(killGroup) };
}

function captureOutput(child: ChildProcess, { limits, logFile, onLine }: ChildOptions): () => void {
  const log = openLogFile(logFile, limits.logBytesMax);
  let open = true;
  let lines: string[] = [];
  // A busy process writes hundreds of lines at once: one write takes them all.
  const flush = () => {
    if (open) log.append(...lines);
    lines = [];
  };
  const splitters = [child.stdout, child.stderr].map((stream) => {
    const splitter = lineSplitter(limits.lineCharactersMax, (line) => {
      if (!open) return;
      lines.push(line);
      onLine(line);
    });
    stream?.on('data', (bytes: Buffer) => {
      splitter.write(bytes);
      flush();
    });
    return splitter;
  });
  return () => {
    for (const splitter of splitters) splitter.end();
    flush();
    open = false;
    log.close();
    child.stdout?.destroy();
    child.stderr?.destroy();
  };
}

async function probeUntil(ended: AbortSignal, spec: ProcessSpec, { limits, onProbe }: ChildOptions): Promise<void> {
  while (!ended.aborted) {
    const ready = await ask(spec, limits.probeTimeoutMs, ended);
    if (ended.aborted) return;
    onProbe(ready);
    const pauseMs = ready ? limits.probeReadyMs : limits.probeStartingMs;
    await delay(pauseMs, undefined, { signal: ended }).catch(() => undefined);
  }
}

async function ask(spec: ProcessSpec, timeoutMs: number, ended: AbortSignal): Promise<boolean> {
  const asking = new AbortController();
  const giveUp = () => asking.abort();
  const timer = setTimeout(giveUp, timeoutMs);
  ended.addEventListener('abort', giveUp, { once: true });
  const gaveUp = new Promise<false>((resolve) => {
    asking.signal.addEventListener('abort', () => resolve(false), { once: true });
  });
  try {
    return await Promise.race([spec.readyProbe(asking.signal), gaveUp]);
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
    ended.removeEventListener('abort', giveUp);
  }
}
