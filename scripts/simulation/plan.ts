import { type LinkFaults, noFaults } from '../../streams/simulation/simulated-link.ts';
import { makeHistory, type Said } from '../../workers/documents/testing/history.ts';
import { below, chance, createRandom, pick, type Random } from '../random.ts';

/** What is done in one simulated run, all of it from a seed. */
export interface Plan {
  readonly seed: number;
  /** What producers say, each behind a pause. */
  readonly says: readonly { readonly pauseMs: number; readonly event: IngestEvent }[];
  /** When somebody records or retracts a playbook. */
  readonly choices: readonly { readonly atMs: number; readonly retract: boolean; readonly pick: number }[];
  readonly instances: { readonly ingest: number; readonly embed: number; readonly index: number };
  readonly faults: LinkFaults;
  /** Probability that the embedder is away when it is asked. */
  readonly embedderAway: number;
  /** A process is killed at a time, or told to stop, and is back after so many milliseconds. */
  readonly ends: readonly { readonly atMs: number; readonly process: number; readonly downMs: number; kill: boolean }[];
  readonly serverKills: readonly { readonly atMs: number; readonly downMs: number }[];
  /** Connections break by themselves. */
  readonly breaks: readonly { readonly atMs: number; readonly process: number; readonly downMs: number }[];
  /** How far wall clocks are off: of a process by its place, from a time on; -1 is the server. */
  readonly clocks: readonly { readonly atMs: number; readonly process: number; readonly skewMs: number }[];
  readonly looks: readonly number[];
  /** The corpus is held in a second space too. */
  readonly heldBeside: boolean;
  /** Vectors are joined with what VECTORS holds, as where it keeps the newest only; else appended as they come. */
  readonly joins: boolean;
}

export type IngestEvent =
  | { readonly kind: 'document'; readonly said: Said }
  | { readonly kind: 'corpus'; readonly change: object }
  /** What can not be taken. */
  | { readonly kind: 'poison'; readonly payload: string };

export const playbookQueries = ['need 2 welders', 'forklift operator in aurora', 'line lead, nights'] as const;

const dayMs = 86_400_000;
const eventsMin = 8;
const eventsMore = 14;

const poisons = [
  '{"id":',
  '{"id":"w-1","text":"   "}',
  '{"id":"w-2","vector":[0,0],"space":"mine@2"}',
  '{"id":"w-3","metadata":{"a":1},"deleted":true}',
] as const;

/**
 * @param fault false for the control: the same history, and nothing goes wrong
 * @param events how many; left out: so many as thousands of runs can afford
 */
export function makePlan(seed: number, fault: boolean, events?: number): Plan {
  const random = createRandom(seed, 21);
  const says = makeHistory(seed, events ?? eventsMin + below(random, eventsMore)).map((said) => ({
    pauseMs: pauseMs(random),
    event: eventOf(random, said),
  }));
  const lastsMs = says.reduce((sum, { pauseMs: pause }) => sum + pause, 0);
  const anyTime = () => random.unit() * (lastsMs + 2_000);
  const several = <One>(most: number, make: () => One) => Array.from({ length: below(random, most + 1) }, make);
  const instances = { ingest: 1 + below(random, 3), embed: 1 + below(random, 2), index: 1 + below(random, 2) };
  const processes = instances.ingest + instances.embed + instances.index + 1;
  const anyProcess = () => below(random, processes);
  const calm = {
    seed,
    says,
    instances,
    faults: noFaults,
    embedderAway: 0,
    ends: [],
    serverKills: [],
    breaks: [],
    clocks: [],
    choices: several(5, () => ({ atMs: anyTime(), retract: chance(random, 0.3), pick: below(random, 1_000) })),
    looks: several(2, anyTime),
    heldBeside: chance(random, 0.15),
    joins: chance(random, 0.25),
  };
  if (!fault) return calm;
  return {
    ...calm,
    faults: {
      lost: often(random, 0.25),
      late: often(random, 0.08),
      dropped: often(random, 0.2),
      doubled: often(random, 0.4),
      overtaken: often(random, 0.6),
      stale: often(random, 0.4),
    },
    embedderAway: often(random, 0.4),
    ends: several(6, () => ({
      atMs: anyTime(),
      // What an index has in memory is lost with it; the others keep nothing.
      process: chance(random, 0.4) ? processes - 1 : anyProcess(),
      downMs: random.unit() * 20_000,
      kill: chance(random, 0.8),
    })),
    serverKills: several(2, () => ({ atMs: anyTime(), downMs: random.unit() * 15_000 })),
    breaks: several(4, () => ({ atMs: anyTime(), process: anyProcess(), downMs: random.unit() * 4_000 })),
    clocks: several(3, () => {
      const process = below(random, processes + 1) - 1;
      const skewMs = process < 0 ? -random.unit() * dayMs : (random.unit() * 2 - 1) * dayMs;
      return { atMs: anyTime(), process, skewMs };
    }),
  };
}

/** Each kind of fault is left out of some runs, so that what it needs others for is seen alone too. */
function often(random: Random, most: number): number {
  return chance(random, 0.35) ? 0 : random.unit() * most;
}

/** Mostly soon after one another; now and then longer than message ids are remembered. */
function pauseMs(random: Random): number {
  if (chance(random, 0.06)) return 100_000 + random.unit() * 600_000;
  return chance(random, 0.5) ? random.unit() * 60 : random.unit() * 4_000;
}

function eventOf(random: Random, said: Said): IngestEvent {
  if (chance(random, 0.04)) return { kind: 'poison', payload: pick(random, poisons) };
  if (chance(random, 0.03)) return { kind: 'corpus', change: { dropped: true } };
  if (chance(random, 0.02)) return { kind: 'corpus', change: { declared: { space: 'fake@2' } } };
  return { kind: 'document', said };
}
