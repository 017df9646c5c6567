/**
 * Runs work that has a deadline: its signal aborts then, with a `TimeoutError`. Once the work is over, nothing of it is
 * held until the deadline, as the signal of `AbortSignal.timeout` and whatever listens to it would be.
 */
export async function withinDeadline<Value>(
  milliseconds: number,
  work: (signal: AbortSignal) => Promise<Value>,
): Promise<Value> {
  const deadline = new AbortController();
  const timer = setTimeout(
    () => deadline.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError')),
    milliseconds,
  );
  try {
    return await work(deadline.signal);
  } finally {
    clearTimeout(timer);
  }
}
