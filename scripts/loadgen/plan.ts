/** How many requests a run sends at most, and when each is due. */
export interface LoadPlan {
  /** `Infinity` where only the time ends the run. */
  readonly total: number;
  /** No request is sent at or after this time, in milliseconds from the start. */
  readonly lastSendMs: number;
  /** When a request is due, in milliseconds from the start; `undefined` in a closed loop: as soon as a connection is free. */
  readonly dueMs: ((index: number) => number) | undefined;
}

export interface LoadExtent {
  readonly durationMs?: number;
  readonly requests?: number;
  readonly rate?: number;
}

/**
 * The plan of a run. An open loop of `rate` requests a second intends request i at i * 1000 / rate, so that it has
 * ceil(durationMs * rate / 1000) of them; what is due before its end may be sent up to `drainMsMax` after it.
 */
export function planLoad(extent: LoadExtent, drainMsMax: number): LoadPlan {
  const { durationMs = Number.POSITIVE_INFINITY, requests = Number.POSITIVE_INFINITY, rate } = extent;
  if (rate === undefined) return { total: requests, lastSendMs: durationMs, dueMs: undefined };
  const total = Math.min(requests, Math.ceil((durationMs * rate) / 1000));
  return { total, lastSendMs: (total * 1000) / rate + drainMsMax, dueMs: (index) => (index * 1000) / rate };
}

/** Requests of an open loop that were due by now and have not been sent; 0 for a closed loop. */
export function unsentBy(plan: LoadPlan, rate: number | undefined, elapsedMs: number, sent: number): number {
  if (rate === undefined) return 0;
  return Math.max(0, Math.min(plan.total, Math.ceil((elapsedMs * rate) / 1000)) - sent);
}
