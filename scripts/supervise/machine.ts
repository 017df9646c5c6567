import type { SupervisorLimits } from './limits.ts';
import { type Dependent, startOrder } from './order.ts';

/**
 * The supervisor's decisions, without clock or processes: what happened goes in, what is to be done comes out.
 */

/**
 * `waiting` for its dependencies; `starting`: runs, was not ready since; `ready`; `unready`: runs and was ready, but
 * no longer says so; `backoff`: ended by itself, will be started again; `stopping`; `stopped`.
 */
export type Phase = 'waiting' | 'starting' | 'ready' | 'unready' | 'backoff' | 'stopping' | 'stopped';

export interface ProcessState extends Dependent {
  readonly phase: Phase;
  /** Ends in a row, without a healthy stretch between. */
  readonly crashes: number;
  readonly wasReady: boolean;
  readonly readySinceMs?: number | undefined;
  readonly unansweredProbes: number;
  /** When a process in backoff is started, or one that is stopping is killed. */
  readonly dueMs?: number | undefined;
}

export interface SupervisorState {
  /** In start order. */
  readonly processes: readonly ProcessState[];
  readonly stopping: boolean;
  readonly finished: boolean;
  /** The process because of which the stack was given up. */
  readonly failed?: string;
}

export type SupervisorInput =
  | { readonly type: 'started' | 'woken' | 'stop-asked' | 'kill-asked' }
  | { readonly type: 'probed'; readonly name: string; readonly ready: boolean }
  | { readonly type: 'exited'; readonly name: string };

export type SupervisorAction =
  | { readonly type: 'start' | 'terminate' | 'kill'; readonly name: string }
  /** Exit code 0: it was asked to stop; 1: a process could not be kept up. */
  | { readonly type: 'finish'; readonly exitCode: 0 | 1 };

export interface Step {
  readonly state: SupervisorState;
  readonly actions: readonly SupervisorAction[];
}

export function initialState(specs: readonly Dependent[]): SupervisorState {
  const processes = startOrder(specs).map(({ name, dependsOn, dependenciesMin }) => ({
    name,
    dependsOn,
    dependenciesMin,
    phase: 'waiting' as const,
    crashes: 0,
    wasReady: false,
    unansweredProbes: 0,
  }));
  return { processes, stopping: false, finished: false };
}

/** Takes in what happened at `nowMs` and decides. An action that is returned is already accounted for in the state. */
export function advance(state: SupervisorState, input: SupervisorInput, nowMs: number, limits: SupervisorLimits): Step {
  if (state.finished) return { state, actions: [] };
  const known = applyInput(state, input, nowMs, limits);
  return known.stopping ? decideStops(known, input, nowMs, limits) : decideStarts(known, nowMs);
}

/** The earliest moment at which something is due without anything else happening; `undefined`: never. */
export function nextWakeMs(state: SupervisorState): number | undefined {
  const due = state.processes.map((process) => process.dueMs).filter((dueMs) => dueMs !== undefined);
  return due.length === 0 || state.finished ? undefined : Math.min(...due);
}

/** `backoffBaseMs` doubled with every crash after the first, at most `backoffMaxMs`. */
export function backoffMs(crashes: number, limits: SupervisorLimits): number {
  return Math.min(limits.backoffMaxMs, limits.backoffBaseMs * 2 ** (crashes - 1));
}

function applyInput(
  state: SupervisorState,
  input: SupervisorInput,
  nowMs: number,
  limits: SupervisorLimits,
): SupervisorState {
  if (input.type === 'stop-asked' || input.type === 'kill-asked') return { ...state, stopping: true };
  if (input.type !== 'probed' && input.type !== 'exited') return state;
  const before = state.processes.find((process) => process.name === input.name);
  if (before === undefined) return state;
  const after =
    input.type === 'probed'
      ? probed(before, input.ready, nowMs, limits)
      : exited(before, nowMs, limits, state.stopping);
  const processes = state.processes.map((process) => (process === before ? after : process));
  const hopeless = after.phase === 'backoff' && !after.wasReady && after.crashes >= limits.startAttemptsMax;
  return hopeless ? { ...state, processes, stopping: true, failed: after.name } : { ...state, processes };
}

function probed(process: ProcessState, ready: boolean, nowMs: number, limits: SupervisorLimits): ProcessState {
  if (process.phase !== 'starting' && process.phase !== 'ready' && process.phase !== 'unready') return process;
  if (ready) {
    const readySinceMs = process.phase === 'ready' ? process.readySinceMs : nowMs;
    return { ...process, phase: 'ready', wasReady: true, unansweredProbes: 0, readySinceMs };
  }
  const unansweredProbes = process.unansweredProbes + 1;
  if (process.phase !== 'ready' || unansweredProbes < limits.unansweredProbesMax)
    return { ...process, unansweredProbes };
  return { ...process, phase: 'unready', unansweredProbes, readySinceMs: undefined };
}

function exited(process: ProcessState, nowMs: number, limits: SupervisorLimits, stopping: boolean): ProcessState {
  const ended = { ...process, readySinceMs: undefined, unansweredProbes: 0, dueMs: undefined };
  if (stopping || process.phase === 'stopping') return { ...ended, phase: 'stopped' };
  const wasHealthy = process.readySinceMs !== undefined && nowMs - process.readySinceMs >= limits.healthyResetMs;
  const crashes = wasHealthy ? 1 : process.crashes + 1;
  return { ...ended, phase: 'backoff', crashes, dueMs: nowMs + backoffMs(crashes, limits) };
}

/** Starts what may start: its dependencies are ready, and its backoff, if any, is over. */
function decideStarts(state: SupervisorState, nowMs: number): Step {
  const ready = new Set(state.processes.filter(({ phase }) => phase === 'ready').map(({ name }) => name));
  const starts = state.processes
    .map((process) => backoffOver(process, nowMs))
    .map((process) => ({
      process,
      start: process.phase === 'waiting' && hasEnough(process, ready),
    }));
  return {
    state: {
      ...state,
      processes: starts.map(({ process, start }) => (start ? { ...process, phase: 'starting' } : process)),
    },
    actions: starts.filter(({ start }) => start).map(({ process }) => ({ type: 'start', name: process.name })),
  };
}

function hasEnough(
  { dependsOn, dependenciesMin = dependsOn.length }: ProcessState,
  ready: ReadonlySet<string>,
): boolean {
  return dependsOn.filter((dependency) => ready.has(dependency)).length >= dependenciesMin;
}

function backoffOver(process: ProcessState, nowMs: number): ProcessState {
  const over = process.phase === 'backoff' && process.dueMs !== undefined && process.dueMs <= nowMs;
  return over ? { ...process, phase: 'waiting', dueMs: undefined } : process;
}

/** Ends every process once all that depend on it have ended; kills what was asked and has not ended in time. */
function decideStops(state: SupervisorState, input: SupervisorInput, nowMs: number, limits: SupervisorLimits): Step {
  const actions: SupervisorAction[] = [];
  const stopped = new Set<string>();
  const decided: ProcessState[] = [];
  for (const process of state.processes.toReversed()) {
    const dependentsStopped = state.processes.every(
      (other) => !other.dependsOn.includes(process.name) || stopped.has(other.name),
    );
    const { after, action } = stopOne(process, dependentsStopped, input.type === 'kill-asked', nowMs, limits);
    if (after.phase === 'stopped') stopped.add(after.name);
    if (action !== undefined) actions.push({ type: action, name: after.name });
    decided.unshift(after);
  }
  const finished = stopped.size === decided.length;
  if (finished) actions.push({ type: 'finish', exitCode: state.failed === undefined ? 0 : 1 });
  return { state: { ...state, processes: decided, finished }, actions };
}

function stopOne(
  process: ProcessState,
  dependentsStopped: boolean,
  killAsked: boolean,
  nowMs: number,
  limits: SupervisorLimits,
): { after: ProcessState; action?: 'terminate' | 'kill' } {
  if (process.phase === 'stopped') return { after: process };
  if (process.phase === 'waiting' || process.phase === 'backoff') {
    return { after: { ...process, phase: 'stopped', dueMs: undefined } };
  }
  const overdue = process.phase === 'stopping' && process.dueMs !== undefined && process.dueMs <= nowMs;
  if (killAsked || overdue) return { after: { ...process, phase: 'stopping', dueMs: undefined }, action: 'kill' };
  if (process.phase === 'stopping' || !dependentsStopped) return { after: process };
  return { after: { ...process, phase: 'stopping', dueMs: nowMs + limits.drainMs }, action: 'terminate' };
}
