/** Work that is done in the order in which it was given, a piece a turn of the event loop. */
export interface OneATurn {
  take(work: () => void): void;
  /** Pieces that are not done yet. */
  readonly waiting: () => number;
}

/**
 * The first of a turn is done at once, the others in later turns. What arrives together is not done in one go: the
 * connection writes at the end of a turn, so the first result would leave with the last.
 * @param waitingMax pieces that may wait; the one that has waited longest is done at once to make room for another
 */
export function createOneATurn(waitingMax: number): OneATurn {
  const queue: (() => void)[] = [];
  let taken = false;
  const next = () => {
    const work = queue.shift();
    taken = work !== undefined;
    if (work === undefined) return;
    setImmediate(next);
    work();
  };
  return {
    waiting: () => queue.length,
    take: (work) => {
      if (taken) {
        queue.push(work);
        if (queue.length > waitingMax) queue.shift()?.();
        return;
      }
      taken = true;
      setImmediate(next);
      work();
    },
  };
}

/**
 * Each is done at the end of a turn, when what other connections have sent by then has been read: what that brings leaves
 * before, and whoever works on it has begun.
 * @param waitingMax as for `createOneATurn`
 */
export function createOneAtTurnsEnd(waitingMax: number): OneATurn {
  const queue: (() => void)[] = [];
  const next = () => {
    const work = queue.shift();
    if (queue.length > 0) setImmediate(next);
    work?.();
  };
  return {
    waiting: () => queue.length,
    take: (work) => {
      if (queue.push(work) === 1) setImmediate(next);
      else if (queue.length > waitingMax) queue.shift()?.();
    },
  };
}
