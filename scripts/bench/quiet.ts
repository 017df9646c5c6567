import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

/** Clock ticks a second in /proc (USER_HZ), the same on every Linux. */
const ticksPerSecond = 100;
const lookMs = 500;
const busyShareMax = 0.1;
const quietLooks = 2;

/** Processor time that a process has used, in milliseconds (Linux). */
export async function processorMs(pid: number): Promise<number> {
  return parseProcessorMs(await readFile(`/proc/${pid}/stat`, 'utf8'));
}

/** Reads user and system time out of /proc/<pid>/stat: fields 14 and 15, behind a name that may hold anything. */
export function parseProcessorMs(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1_000) / ticksPerSecond;
}

/** Resolves when a process has been nearly idle for a second: what it had left to do in the background is done. */
export async function untilQuiet(pid: number, deadlineMs: number): Promise<void> {
  const deadline = AbortSignal.timeout(deadlineMs);
  for (let quiet = 0; quiet < quietLooks; ) {
    const before = await processorMs(pid);
    await delay(lookMs);
    quiet = (await processorMs(pid)) - before <= lookMs * busyShareMax ? quiet + 1 : 0;
    if (deadline.aborted) throw new Error(`process ${pid} was still busy after ${deadlineMs / 1_000} s`);
  }
}
