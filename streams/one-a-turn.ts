/** Work that is done in the order in which it was given, a piece a turn of the event loop. */
export interface OneATurn {
  /** Does it now where it is the first of this turn, else in a later one. */
  take(work: () => void): void;
  /** Pieces that are not done yet. */
  readonly waiting: () => number;
}

/**
 * What arrives together is not done in one go: the connection writes at the end of a turn, so the first result would leave
 * with the last.
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
