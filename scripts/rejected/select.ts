import { type RejectionReason, rejectionReasons } from '../../schemas/events/rejected.ts';
import type { DeadLetter } from '../../streams/rejections.ts';
import { usageError } from '../command/errors.ts';

/** Which dead letters are meant: one by its id, or all that fit. */
export interface Selection {
  readonly id: number | undefined;
  readonly reason: RejectionReason | undefined;
  readonly stream: string | undefined;
  readonly worker: string | undefined;
  /** Settled ones too. */
  readonly settled: boolean;
}

export interface SelectionFlags {
  readonly id?: string | undefined;
  readonly reason?: string | undefined;
  readonly stream?: string | undefined;
  readonly worker?: string | undefined;
  readonly all?: boolean | undefined;
}

/** @throws CommandError where a flag does not fit */
export function selectionOf({ id, reason, stream, worker, all }: SelectionFlags): Selection {
  const known = rejectionReasons.find((one) => one === reason);
  if (reason !== undefined && known === undefined)
    throw usageError(`"${reason}" is no reason`, `The reasons are ${rejectionReasons.join(', ')}.`);
  const number = id === undefined ? undefined : Number(id);
  if (number !== undefined && !(Number.isSafeInteger(number) && number > 0))
    throw usageError(`"${id}" is not the id of a dead letter`, 'See "lakehouse rejected list" for the ids.');
  return { id: number, reason: known, stream: stream?.toUpperCase(), worker, settled: all ?? false };
}

/** True where it says at least something: `retry` and `drop` never mean everything by accident. */
export function saysSomething({ id, reason, stream, worker }: Selection): boolean {
  return [id, reason, stream, worker].some((part) => part !== undefined);
}

export function isOpen({ state }: DeadLetter): boolean {
  return state === 'waiting' || state === 'retrying';
}

export function select(letters: readonly DeadLetter[], selection: Selection): DeadLetter[] {
  const { id, reason, stream, worker, settled } = selection;
  return letters.filter(
    (letter) =>
      (id === undefined || letter.id === id) &&
      (reason === undefined || letter.reason === reason) &&
      (stream === undefined || letter.stream === stream) &&
      (worker === undefined || letter.worker === worker) &&
      (settled || id !== undefined || isOpen(letter)),
  );
}
