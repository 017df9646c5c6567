/** Work on the same thing, one behind the other; on different things at once. */
export interface Turns {
  /** Resolves as `work` does, which begins when everything that was given earlier for the key has ended. */
  take<Result>(key: string, work: () => Promise<Result>): Promise<Result>;
}

/** Nothing is kept of a key that nobody works on. */
export function createTurns(): Turns {
  const last = new Map<string, Promise<unknown>>();
  return {
    take: (key, work) => {
      const before = last.get(key);
      const own = before === undefined ? work() : before.then(work, work);
      last.set(key, own);
      const leave = () => {
        if (last.get(key) === own) last.delete(key);
      };
      own.then(leave, leave);
      return own;
    },
  };
}
