import {
  type DeadLetterState,
  deadLetterStates,
  type RejectionReason,
  rejectionReasons,
} from '../schemas/events/rejected.ts';
import type { LogConnection } from './connection.ts';
import type { RuntimeLog } from './logger.ts';
import { type FoldHandlers, type Projector, startProjector } from './projector.ts';
import type { RejectionIdentity } from './rejected.ts';

/** REJECTED as a fold: what was set aside, and what became of each. */
export interface DeadLetter extends RejectionIdentity {
  /** The REJECTED sequence of its first rejection: the name that an operator knows it by. */
  readonly id: number;
  /** The REJECTED sequence of its newest rejection, where the payload lies. */
  readonly row: number;
  readonly subject: string;
  readonly reason: RejectionReason;
  /** Cut to what a list shows. */
  readonly message: string;
  readonly attempts: number;
  readonly version: number | null;
  readonly rejectedAtMs: number;
  readonly state: DeadLetterState;
  /** The retry that the newest answer was about; 0 where none was asked for. */
  readonly retry: number;
  /** How it was settled, in words; empty until then. */
  readonly detail: string;
}

export type RejectionCounts = Readonly<Record<RejectionReason, Readonly<Record<DeadLetterState, number>>>>;

export interface DeadLetters {
  readonly handlers: FoldHandlers<'REJECTED'>;
  /** In the order in which they were set aside. */
  all(): DeadLetter[];
  /** By the REJECTED sequence of its first rejection. */
  find(id: number): DeadLetter | undefined;
  readonly counts: () => RejectionCounts;
  /** How many were let go of because more than `lettersMax` are there: the oldest first. */
  readonly forgotten: () => number;
}

export const lettersMax = 100_000;
const messageCharactersMax = 300;

/** What is known of REJECTED as far as it was folded. */
export function createDeadLetters(max = lettersMax): DeadLetters {
  const letters = new Map<string, DeadLetter>();
  let forgotten = 0;
  const keyOf = ({ stream, sequence, worker }: RejectionIdentity) => `${stream} ${sequence} ${worker}`;
  const change = (identity: RejectionIdentity, changes: Partial<DeadLetter>) => {
    const letter = letters.get(keyOf(identity));
    // Its rejection has left the window already.
    if (letter !== undefined) letters.set(keyOf(identity), { ...letter, ...changes });
  };
  return {
    handlers: {
      'lakehouse.rejected': ({ data }, { sequence: row, storedAtMs }) => {
        const { stream, sequence, worker, subject, reason, message, attempts, version, retry } = data;
        const key = keyOf(data);
        const id = letters.get(key)?.id ?? row;
        const words = message.slice(0, messageCharactersMax);
        const about = { stream, sequence, worker, subject, reason, message: words, attempts, version, retry };
        letters.set(key, { ...about, id, row, rejectedAtMs: storedAtMs, state: 'waiting', detail: '' });
        const [oldest] = letters.keys();
        if (letters.size <= max || oldest === undefined) return;
        letters.delete(oldest);
        forgotten++;
      },
      'lakehouse.rejected-retry': ({ data }) => change(data, { state: 'retrying' }),
      'lakehouse.rejected-resolved': ({ data }) =>
        change(data, { state: data.outcome, detail: data.detail, retry: data.retry }),
    },
    all: () => [...letters.values()],
    find: (id) => [...letters.values()].find((letter) => letter.id === id),
    counts: () => countLetters(letters.values()),
    forgotten: () => forgotten,
  };
}

function countLetters(letters: Iterable<DeadLetter>): RejectionCounts {
  const none = () => Object.fromEntries(deadLetterStates.map((state) => [state, 0])) as Record<DeadLetterState, number>;
  const counts = Object.fromEntries(rejectionReasons.map((reason) => [reason, none()])) as Record<
    RejectionReason,
    Record<DeadLetterState, number>
  >;
  for (const { reason, state } of letters) counts[reason][state]++;
  return counts;
}

export interface DeadLetterFold {
  readonly letters: DeadLetters;
  readonly projector: Projector;
}

/** Folds REJECTED from its beginning, and goes on with what comes. */
export function foldDeadLetters(
  connection: LogConnection,
  worker: string,
  log: RuntimeLog,
  onEvent: () => void = () => {},
): DeadLetterFold {
  const letters = createDeadLetters();
  const projector = startProjector({
    connection,
    log,
    worker,
    stream: 'REJECTED',
    checkpoint: 0,
    onlyLooks: true,
    handlers: letters.handlers,
    betweenEvents: () => {
      onEvent();
      return undefined;
    },
  });
  return { letters, projector };
}
