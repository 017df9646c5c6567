/** Work that is due a while after it was first asked for, once for all who asked until then. */
export interface Soon {
  ask(): void;
  /** What was asked for is not done any more. */
  cancel(): void;
}

/** A timer only while something is due, so that a process without work sleeps; it keeps no process alive. */
export function createSoon(delayMs: number, work: () => void): Soon {
  let timer: NodeJS.Timeout | undefined;
  const run = () => {
    timer = undefined;
    work();
  };
  return {
    ask: () => {
      timer ??= setTimeout(run, delayMs).unref();
    },
    cancel: () => {
      clearTimeout(timer);
      timer = undefined;
    },
  };
}
