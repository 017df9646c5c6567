import type { Random } from '../random.ts';

/** The faults that the system has to survive, by their numbers. */
export const faultIds = [
  'F1',
  'F2',
  'F3',
  'F4',
  'F5',
  'F6',
  'F7',
  'F8',
  'F9',
  'F10',
  'F11',
  'F12',
  'F13',
  'F14',
  'F15',
  'F16',
  'F17',
  'F18',
  'F19',
  'F20',
  'F21',
  'F22',
  'F23',
  'F24',
] as const;
export type FaultId = (typeof faultIds)[number];

/** `short` is what CI has time for; `long` is the campaign whose report is kept. */
export type Scale = 'short' | 'long';

export interface FaultContext {
  readonly seed: number;
  /** Seeded from `seed` and the fault's number: one seed makes one history. */
  readonly random: Random;
  readonly scale: Scale;
  /** False for the control: the same run with the fault left out. */
  readonly fault: boolean;
  /** The name of the mutation whose guard is broken in this run, or undefined. */
  readonly mutation: string | undefined;
  /** How long a row that repeats itself may do so, in milliseconds; undefined: as often as its scale says. */
  readonly budgetMs?: number | undefined;
  /** A scratch folder of this run; the campaign removes it. */
  readonly directory: string;
  /** One line of progress. */
  report(line: string): void;
}

/**
 * One sentence that held or did not, and what was seen. Where it is one of the table's oracles it begins with its letter:
 * `H: ...`, `B: ...`, `L: ...`, `P: ...`; the campaign counts by it.
 */
export interface Check {
  readonly oracle: string;
  readonly held: boolean;
  readonly seen: string;
}

export interface FaultOutcome {
  readonly checks: readonly Check[];
  /**
   * What was counted, with the unit last in the name: `documents`, `duplicatesDelivered`, `recoveryMs`. The campaign adds
   * up `kills`, `simulatorSeeds`, `acknowledgedLost` and `queriesFailedInRebuild`.
   */
  readonly counts: Readonly<Record<string, number>>;
}

/**
 * A guard that can be broken on purpose: the row has to go red then, or its oracle proves nothing. Red is a check that did
 * not hold; a row that throws has shown nothing.
 */
export interface Mutation {
  readonly name: string;
  /** Which guard is broken, and how. */
  readonly breaks: string;
}

/** One row of the fault table. */
export interface FaultRow {
  readonly fault: FaultId;
  /** What is done to the system. */
  readonly title: string;
  /** What has to hold then. */
  readonly passes: string;
  readonly mutations: readonly Mutation[];
  run(context: FaultContext): Promise<FaultOutcome>;
}

/** A row passes where it checked something and everything held. */
export function passed(outcome: FaultOutcome): boolean {
  return outcome.checks.length > 0 && outcome.checks.every((check) => check.held);
}
