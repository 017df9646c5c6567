/**
 * When requests that travel together leave, and how many. A message costs more than the requests in it: one that carries four
 * costs little more than one that carries one, on each of its two ways through the bus. So requests gather until they are
 * half of those that were under way at once lately. And no more than that half leave in a message: while one half is
 * answered, the other is read and asked again, and all who work on them are busy. Without that limit whoever comes back
 * early joins those ahead, until all of them travel as one, and each side waits for the other.
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

/** A message takes at most so many requests, however many are under way. */
export const batchRequestsMax = 16;
/** So many messages may be on their way at most. */
const heldMax = 4;
const parts = 2;
/**
 * Whoever was answered asks again within this, or not soon: so long a message that is not full waits behind the last
 * request that joined it, in milliseconds.
 */
export const gatherMs = 0.06;

/** So many requests fill a message. */
export function fullAt({ peak }: Pick<Gathered, 'peak'>): number {
  return Math.min(batchRequestsMax, Math.ceil(peak / parts));
}

/** Whether what waits fills a message that may leave: then it leaves at once, while what comes behind it is still read. */
export function isFull(gathered: Gathered): boolean {
  const { queued, held } = gathered;
  return queued > 0 && held < heldMax && queued >= fullAt(gathered);
}

/** Whether what waits may leave now: always when nothing is on its way, else when it fills a message. */
export function mayLeave(gathered: Gathered): boolean {
  return isFull(gathered) || (gathered.held === 0 && gathered.queued > 0);
}

/** Whether more is to be expected soon for a message that could leave: it is not full, and others were lately under way. */
export function isWorthWaiting(gathered: Gathered): boolean {
  const { queued, held, open, peak } = gathered;
  return held === 0 && queued < fullAt(gathered) && open < peak;
}

/** The peak after more was waited for and did not come: who asks alone waits no longer, soon. */
export function lowered({ open, peak }: Gathered): number {
  return Math.max(open, peak - 1);
}
