import { join } from 'node:path';
import { type ChildExit, type ChildHandle, type ProcessSpec, startChild } from './child.ts';
import type { Claim } from './claim.ts';
import { type SupervisorLimits, supervisorLimits } from './limits.ts';
import { renderLogLine } from './log-view.ts';
import {
  advance,
  initialState,
  nextWakeMs,
  type Phase,
  type SupervisorAction,
  type SupervisorInput,
} from './machine.ts';
import { killGroup, processStartTime } from './process-identity.ts';
import type { SupervisedChild } from './running.ts';

export type SupervisorEvent =
  | { readonly type: 'phase'; readonly name: string; readonly phase: Phase; readonly pid?: number }
  /** A process ended: how, and when it is started again, if it is. */
  | ({ readonly type: 'exit'; readonly name: string; readonly restartInMs?: number } & ChildExit)
  /** All processes are ready, for the first time. */
  | { readonly type: 'all-ready' }
  /** All has ended; `failed` names the process that could not be kept up. */
  | { readonly type: 'finished'; readonly exitCode: number; readonly failed?: string };

export interface SupervisorOptions {
  readonly claim: Claim;
  readonly specs: readonly ProcessSpec[];
  /** Written into `up.json`, for `status` and for people. */
  readonly ports: Readonly<Record<string, number>>;
  /** Told of everything as it happens. */
  readonly onEvent?: (event: SupervisorEvent) => void;
  /** Gets the merged view, one rendered line a call; absent: only the log files are written. */
  readonly onLogLine?: (line: string) => void;
  readonly limits?: Partial<SupervisorLimits>;
  /** Whether SIGINT, SIGTERM and SIGHUP stop the stack, and a second one ends it at once; true when absent. */
  readonly handleSignals?: boolean;
}

export interface Supervisor {
  /** True once every process was ready at the same time; false when the stack ended before. */
  readonly ready: Promise<boolean>;
  /** The exit code once all has ended: 0 when it was asked to, 1 when a process could not be kept up. */
  readonly finished: Promise<number>;
  /** Ends all in reverse order, then resolves as `finished`. */
  stop(): Promise<number>;
}

const stopSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Where the log of a supervised process is; the log before it has `.1` behind its name. */
export function processLogFile(dataDir: string, name: string): string {
  return join(dataDir, 'logs', `${name}.log`);
}

/**
 * Starts the processes in the order of their dependencies and keeps them up until told to stop. Then the claim is
 * released.
 *
 * @throws Error when the specs contradict one another (see `startOrder`).
 */
export function startSupervisor(options: SupervisorOptions): Supervisor {
  let resolveReady: (ready: boolean) => void = () => undefined;
  let resolveFinished: (exitCode: number) => void = () => undefined;
  const ready = new Promise<boolean>((resolve) => {
    resolveReady = resolve;
  });
  const finished = new Promise<number>((resolve) => {
    resolveFinished = resolve;
  });
  const feed = runMachine(options, (event) => {
    if (event.type === 'all-ready') resolveReady(true);
    if (event.type === 'finished') {
      removeHandlers();
      options.claim.release();
      resolveReady(false);
      resolveFinished(event.exitCode);
    }
    options.onEvent?.(event);
  });
  let asked = false;
  const onSignal = () => {
    feed({ type: asked ? 'kill-asked' : 'stop-asked' });
    asked = true;
  };
  const signals = options.handleSignals === false ? [] : stopSignals;
  const removeHandlers = () => {
    for (const signal of signals) process.off(signal, onSignal);
  };
  for (const signal of signals) process.on(signal, onSignal);
  feed({ type: 'started' });
  const stop = () => {
    asked = true;
    feed({ type: 'stop-asked' });
    return finished;
  };
  return { ready, finished, stop };
}

/** Feeds the state machine with what happens and does what it decides. */
function runMachine(options: SupervisorOptions, emit: (event: SupervisorEvent) => void) {
  const limits: SupervisorLimits = { ...supervisorLimits, ...options.limits };
  const specOf = new Map(options.specs.map((spec) => [spec.name, spec]));
  const children = childTable(options);
  let state = initialState(options.specs);
  let wasReady = false;
  let wake: NodeJS.Timeout | undefined;

  const feed = (input: SupervisorInput, exit?: ChildExit): void => {
    const nowMs = performance.now();
    const before = new Map(state.processes.map(({ name, phase }) => [name, phase]));
    const step = advance(state, input, nowMs, limits);
    state = step.state;
    if (input.type === 'exited') {
      children.delete(input.name);
      const dueMs = state.processes.find(({ name }) => name === input.name)?.dueMs;
      emit({ type: 'exit', name: input.name, ...exit, ...(dueMs === undefined ? {} : { restartInMs: dueMs - nowMs }) });
    }
    for (const action of step.actions) act(action);
    for (const { name, phase } of state.processes) {
      const pid = children.get(name)?.pid;
      if (phase !== before.get(name)) emit({ type: 'phase', name, phase, ...(pid === undefined ? {} : { pid }) });
    }
    if (!wasReady && state.processes.every(({ phase }) => phase === 'ready')) {
      wasReady = true;
      emit({ type: 'all-ready' });
    }
    clearTimeout(wake);
    const wakeMs = nextWakeMs(state);
    if (wakeMs !== undefined) wake = setTimeout(feed, Math.max(1, Math.ceil(wakeMs - nowMs)), { type: 'woken' });
    if (state.finished && step.actions.length > 0) {
      const exitCode = state.failed === undefined ? 0 : 1;
      children.close();
      emit({ type: 'finished', exitCode, ...(state.failed === undefined ? {} : { failed: state.failed }) });
    }
  };

  const act = (action: SupervisorAction): void => {
    if (action.type === 'finish') return;
    const { name } = action;
    if (action.type === 'terminate') children.get(name)?.terminate();
    if (action.type === 'kill') children.get(name)?.kill();
    const spec = action.type === 'start' ? specOf.get(name) : undefined;
    if (spec === undefined) return;
    const nameWidth = Math.max(...options.specs.map((each) => each.name.length));
    const child = startChild(spec, {
      limits,
      logFile: processLogFile(options.claim.dataDir, name),
      onLine: (line) => options.onLogLine?.(renderLogLine(name, nameWidth, line)),
      onProbe: (answered) => feed({ type: 'probed', name, ready: answered }),
      onExit: (exit) => feed({ type: 'exited', name }, exit),
    });
    children.set(name, child);
  };
  return feed;
}

/** The children that run now, written down with the claim at every change. */
function childTable(options: SupervisorOptions) {
  const running = new Map<string, { handle: ChildHandle; record: SupervisedChild | undefined }>();
  const record = () => {
    const records = [...running.values()].map((child) => child.record).filter((each) => each !== undefined);
    try {
      options.claim.record(options.ports, records);
    } catch {
      // A full disk must not end the stack; only a successor after a crash would miss this.
    }
  };
  // Should this process end by an error of its own, nothing is left behind.
  const killAll = () => {
    for (const { handle } of running.values()) if (handle.pid !== undefined) killGroup(handle.pid);
  };
  process.once('exit', killAll);
  return {
    get: (name: string) => running.get(name)?.handle,
    set(name: string, handle: ChildHandle) {
      const startTime = handle.pid === undefined ? undefined : processStartTime(handle.pid);
      const known =
        handle.pid === undefined || startTime === undefined ? undefined : { name, pid: handle.pid, startTime };
      running.set(name, { handle, record: known });
      record();
    },
    delete(name: string) {
      running.delete(name);
      record();
    },
    close: () => process.off('exit', killAll),
  };
}
