/** A bounded number of things in work at once, without a promise race over all of them for each. */
export interface Slots {
  readonly count: () => number;
  /** Puts one more into work; whoever calls has waited for `free` before. `work` must not fail. */
  run(work: Promise<void>): void;
  /** Resolves when another one may be put into work. */
  free(): Promise<void>;
  /** Resolves when nothing is in work. */
  idle(): Promise<void>;
}

export function createSlots(max: number): Slots {
  let count = 0;
  let waiting: { readonly below: number; readonly wake: () => void }[] = [];
  const until = (below: number): Promise<void> =>
    count < below ? Promise.resolve() : new Promise((wake) => waiting.push({ below, wake }));
  const leave = () => {
    count--;
    if (waiting.length === 0) return;
    const ready = waiting.filter((waiter) => count < waiter.below);
    waiting = waiting.filter((waiter) => count >= waiter.below);
    for (const { wake } of ready) wake();
  };
  return {
    count: () => count,
    run: (work) => {
      count++;
      void work.then(leave, leave);
    },
    free: () => until(max),
    idle: () => until(1),
  };
}
