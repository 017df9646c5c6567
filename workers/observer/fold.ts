import type { ObservationData, ObservedOperation } from '../../schemas/events/observation.ts';
import type { ObserverStatsReply } from '../../schemas/requests/observer.ts';

export const foldLimits = {
  /** Operations kept one by one; the oldest leaves when another one comes. */
  ringOperationsMax: 2_000,
  recentScenarioOperationsMax: 10,
  /** Sources counted apart; whoever can post an event can make one up, so further ones are counted together. */
  sourcesMax: 256,
} as const;

/** The source under which operations of sources beyond the limit are counted. */
export const otherSources = 'other_sources';

export type ScenarioOperation = ObserverStatsReply['recent_scenario_ops'][number];

/** What the observer knows: the fold of OBSERVATIONS. Never changed in place, so that whoever holds one may keep it. */
export interface ObserverState {
  /** Operations, a row with `occurrences` counting as so many; the same for the counts below. */
  readonly total: number;
  readonly successes: number;
  readonly failures: number;
  /** Operations that reporters let go before they told them; in no other count. */
  readonly dropped: number;
  /** A map, since a source may be named as what every object has (`constructor`). */
  readonly bySource: ReadonlyMap<string, number>;
  /** Newest last. */
  readonly ring: readonly ObservedOperation[];
  /** Newest last. */
  readonly recentScenarioOperations: readonly ScenarioOperation[];
}

export const initialState: ObserverState = {
  total: 0,
  successes: 0,
  failures: 0,
  dropped: 0,
  bySource: new Map(),
  ring: [],
  recentScenarioOperations: [],
};

/** Folds one event. Costs what its operations cost and one copy of the ring, whatever came before. */
export function evolve(state: ObserverState, event: ObservationData): ObserverState {
  const { operations } = event;
  const bySource = new Map(state.bySource);
  let { successes, failures } = state;
  for (const operation of operations) {
    const count = operation.occurrences ?? 1;
    if (operation.success) successes = sum(successes, count);
    else failures = sum(failures, count);
    const source = sourceKey(bySource, operation.source);
    bySource.set(source, sum(bySource.get(source) ?? 0, count));
  }
  const scenarios = operations.filter((operation) => operation.source === 'scenario').map(scenarioOperation);
  return {
    total: sum(successes, failures),
    successes,
    failures,
    dropped: sum(state.dropped, event.dropped),
    bySource,
    ring: newest(state.ring, operations, foldLimits.ringOperationsMax),
    recentScenarioOperations: newest(state.recentScenarioOperations, scenarios, foldLimits.recentScenarioOperationsMax),
  };
}

/** What `stats` answers. */
export function statsOf(state: ObserverState): ObserverStatsReply {
  return {
    total: state.total,
    successes: state.successes,
    failures: state.failures,
    dropped: state.dropped,
    by_source: Object.fromEntries(state.bySource),
    recent_scenario_ops: [...state.recentScenarioOperations],
  };
}

/** Counts stop at the largest exact number, so that a made-up count can not make them wrong or unreadable. */
function sum(one: number, other: number): number {
  return Math.min(Number.MAX_SAFE_INTEGER, one + other);
}

function sourceKey(bySource: ReadonlyMap<string, number>, source: string): string {
  return bySource.has(source) || bySource.size < foldLimits.sourcesMax ? source : otherSources;
}

function newest<Item>(kept: readonly Item[], added: readonly Item[], max: number): readonly Item[] {
  if (added.length === 0) return kept;
  const surplus = kept.length + added.length - max;
  if (surplus <= 0) return kept.concat(added);
  return kept.slice(surplus).concat(added.slice(Math.max(0, added.length - max)));
}

function scenarioOperation(operation: ObservedOperation): ScenarioOperation {
  const { timestamp, endpoint, success, staffer_id, event_kind, role } = operation;
  return {
    timestamp,
    endpoint,
    success,
    ...(staffer_id === undefined ? {} : { staffer_id }),
    ...(event_kind === undefined ? {} : { kind: event_kind }),
    ...(role === undefined ? {} : { role }),
  };
}
