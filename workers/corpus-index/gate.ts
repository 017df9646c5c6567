/**
 * Holds the folds of a process still while something looks at the whole state (a digest, a snapshot), so that what it sees
 * is the fold of one position. Searches go on.
 */
export interface FoldGate {
  /** Undefined while open, else what to await before folding on. */
  readonly closed: () => Promise<void> | undefined;
  /** Runs the work with the folds held; one at a time. */
  whileHeld<Result>(work: () => Promise<Result>): Promise<Result>;
}

export function createFoldGate(): FoldGate {
  let closed: Promise<void> | undefined;
  return {
    closed: () => closed,
    whileHeld: async (work) => {
      while (closed !== undefined) await closed;
      let open = () => {};
      closed = new Promise((resolve) => {
        open = () => {
          closed = undefined;
          resolve();
        };
      });
      try {
        return await work();
      } finally {
        open();
      }
    },
  };
}
