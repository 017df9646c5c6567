/** Time as an argument: logic never asks the system for it. */
export interface Clock {
  /** Milliseconds since 1970, for what people and other systems read. */
  nowMs(): number;
  /** Milliseconds of a clock that never jumps, for deadlines and durations. */
  monotonicMs(): number;
  /** Resolves after so many milliseconds, or at once when the signal aborts. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: (milliseconds, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const done = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, milliseconds);
      signal?.addEventListener('abort', done, { once: true });
    }),
};

export function isoTime(clock: Clock): string {
  return new Date(clock.nowMs()).toISOString();
}
