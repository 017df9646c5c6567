/** Numbers that reply subjects end in, each for one who waits. */
export interface ReplyNumbers<Waiting> {
  /** Lets somebody wait under a number that is free, else under a new one. */
  open(make: (number: number) => Waiting): Waiting;
  get(number: number): Waiting | undefined;
  /** All was answered: the number may be used again at once. */
  close(number: number): void;
  /** It was given up: the number rests, as an answer may still come to it. */
  giveUp(number: number, nowMs: number): void;
  /** Lets go of numbers that have rested. */
  release(nowMs: number): void;
  /** Who waits now, in no order. Each may be closed while this is read. */
  waiting(): Waiting[];
  readonly size: () => number;
}

/** What still came for a number that was given up has come by then. */
const restMs = 60_000;

/** They are few and used again: the server remembers what it decided of a subject that it meets again. */
export function createReplyNumbers<Waiting>(): ReplyNumbers<Waiting> {
  const places: (Waiting | undefined)[] = [];
  const free: number[] = [];
  const resting: { readonly number: number; readonly atMs: number }[] = [];
  let size = 0;
  const leave = (number: number): boolean => {
    if (places[number] === undefined) return false;
    places[number] = undefined;
    size--;
    return true;
  };
  return {
    open: (make) => {
      const number = free.pop() ?? places.length;
      const waiting = make(number);
      places[number] = waiting;
      size++;
      return waiting;
    },
    get: (number) => places[number],
    close: (number) => {
      if (leave(number)) free.push(number);
    },
    giveUp: (number, atMs) => {
      if (leave(number)) resting.push({ number, atMs });
    },
    release: (nowMs) => {
      while (resting[0] !== undefined && nowMs - resting[0].atMs >= restMs) free.push(resting.shift()?.number ?? 0);
    },
    waiting: () => places.filter((one) => one !== undefined),
    size: () => size,
  };
}
