/**
 * When requests that travel together leave. A message costs more than the requests in it: one that carries four costs
 * little more than one that carries one, on each of its two ways through the bus. So requests gather until they are a third
 * of those that were under way at once lately: while one third is answered, the next is on its way and the last is being
 * read, and all who work on them are busy.
 */
export interface Gathered {
  /** Requests that wait for their turn. */
  readonly queued: number;
  /** Messages on their way of which nothing was heard yet. */
  readonly held: number;
  /** Requests that are not answered yet, those that wait included. */
  readonly open: number;
  /** So many were open at once lately. */
  readonly peak: number;
}

/** A message takes at most so many requests. */
export const batchRequestsMax = 16;
/** So many messages may be on their way at most. */
const heldMax = 4;
const parts = 3;
/**
 * Whoever was answered asks again within this, or not soon: so long a message that is not full waits behind the last
 * request that joined it, in milliseconds.
 */
export const gatherMs = 0.06;

function fullAt(peak: number): number {
  return Math.min(batchRequestsMax, Math.ceil(peak / parts));
}

/** Whether what waits may leave now: always when nothing is on its way, else when it fills a message. */
export function mayLeave({ queued, held, peak }: Gathered): boolean {
  if (queued === 0) return false;
  return held === 0 || (held < heldMax && queued >= fullAt(peak));
}

/** Whether more is to be expected soon for a message that could leave: it is not full, and others were lately under way. */
export function isWorthWaiting({ queued, held, open, peak }: Gathered): boolean {
  return held === 0 && queued < fullAt(peak) && open < peak;
}

/** The peak after more was waited for and did not come: who asks alone waits no longer, soon. */
export function lowered({ open, peak }: Gathered): number {
  return Math.max(open, peak - 1);
}
