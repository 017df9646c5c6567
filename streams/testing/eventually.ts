import { setTimeout as delay } from 'node:timers/promises';

const pollMs = 10;

/** Asks until the answer is true, and fails with `what` when it was not in time. For conditions that nothing announces. */
export async function eventually(
  what: string,
  check: () => boolean | Promise<boolean>,
  deadlineMs = 20_000,
): Promise<void> {
  const deadline = AbortSignal.timeout(deadlineMs);
  while (!(await check())) {
    if (deadline.aborted) throw new Error(`not within ${deadlineMs} ms: ${what}`);
    await delay(pollMs);
  }
}
