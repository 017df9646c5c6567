/** JetStream counts in nanoseconds and everything here in milliseconds: this is the one place where they meet. */
export function nanos(milliseconds: number): number {
  return milliseconds * 1_000_000;
}

export function fromNanos(nanoseconds: number): number {
  return nanoseconds / 1_000_000;
}

/** Exponential backoff without jitter: `first`, doubled per attempt, at most `max`; attempts count from 1. */
export function backoffMs(attempt: number, firstMs: number, maxMs: number): number {
  return Math.min(maxMs, firstMs * 2 ** Math.min(30, Math.max(0, attempt - 1)));
}
