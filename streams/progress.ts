/** How far one stream has been folded, and who waits for how much of it. */
export interface FoldProgress {
  readonly sequence: () => number;
  /** Moves forward and wakes whoever waited for as much. */
  advance(sequence: number): void;
  /** Resolves true once `sequence` is folded, false when the signal aborts first. */
  waitFor(sequence: number, signal: AbortSignal): Promise<boolean>;
}

interface Waiter {
  readonly sequence: number;
  readonly wake: (reached: boolean) => void;
}

export function createFoldProgress(start: number): FoldProgress {
  let folded = start;
  let waiters: Waiter[] = [];
  return {
    sequence: () => folded,
    advance: (sequence) => {
      if (sequence <= folded) return;
      folded = sequence;
      if (waiters.length === 0) return;
      const ready = waiters.filter((waiter) => waiter.sequence <= folded);
      waiters = waiters.filter((waiter) => waiter.sequence > folded);
      for (const waiter of ready) waiter.wake(true);
    },
    waitFor: (sequence, signal) => {
      if (sequence <= folded) return Promise.resolve(true);
      if (signal.aborted) return Promise.resolve(false);
      return new Promise((resolve) => {
        const waiter: Waiter = {
          sequence,
          wake: (reached) => {
            signal.removeEventListener('abort', giveUp);
            resolve(reached);
          },
        };
        const giveUp = () => {
          waiters = waiters.filter((other) => other !== waiter);
          resolve(false);
        };
        signal.addEventListener('abort', giveUp, { once: true });
        waiters.push(waiter);
      });
    },
  };
}
