import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { stopLimits } from './limits.ts';
import { isSameProcess, killGroup, sendSignal } from './process-identity.ts';

const processSchema = z.object({ pid: z.int().positive(), startTime: z.string() });

/** What `<dataDir>/up.json` holds. */
export const stackFileSchema = z.object({
  schema: z.literal('lakehouse.up.v1'),
  ...processSchema.shape,
  startedAt: z.iso.datetime(),
  ports: z.record(z.string(), z.int().min(1).max(65_535)),
  children: z.array(z.object({ name: z.string(), ...processSchema.shape })),
});
export type StackFile = z.infer<typeof stackFileSchema>;

/** A supervisor and its processes, as it wrote them down. */
export type RunningStack = Omit<StackFile, 'schema'>;
export type SupervisedChild = StackFile['children'][number];

/** `not-running`: nothing was there to stop; `stopped`: it ended as asked; `killed`: it had to be ended by force. */
export type StopOutcome = 'not-running' | 'stopped' | 'killed';

export function stackFilePath(dataDir: string): string {
  return join(dataDir, 'up.json');
}

/**
 * What was written down by the last supervisor here, whether or not it still runs; `undefined` when there is no file or
 * it makes no sense (a power cut can leave such).
 *
 * @throws Error when the file may not be read: then a stack may well be running.
 */
export function readStackFile(path: string): StackFile | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return stackFileSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** The stack that runs on this data directory now (its supervisor lives and is the one that wrote the file). */
export function readRunning(dataDir: string): RunningStack | undefined {
  const written = readStackFile(stackFilePath(dataDir));
  if (written === undefined || !isSameProcess(written)) return undefined;
  const { schema: _, ...stack } = written;
  return stack;
}

/**
 * Stops the stack that runs on this data directory and waits until it has ended. A supervisor that does not end within
 * `stopDeadlineMs` is ended by force, with its children. Children of a supervisor that died are stopped too.
 */
export async function stopRunning(
  dataDir: string,
  stopDeadlineMs: number = stopLimits.stopDeadlineMs,
): Promise<StopOutcome> {
  const path = stackFilePath(dataDir);
  const written = readStackFile(path);
  if (written === undefined) return 'not-running';
  if (!isSameProcess(written)) {
    await stopOrphans(written.children);
    removeIfStill(path, written);
    return 'not-running';
  }
  sendSignal(written.pid, 'SIGTERM');
  if (await hasEnded(written, stopDeadlineMs)) return 'stopped';
  const children = readStackFile(path)?.children ?? written.children;
  sendSignal(written.pid, 'SIGKILL');
  await hasEnded(written, stopLimits.killDeadlineMs);
  await stopOrphans(children);
  removeIfStill(path, written);
  return 'killed';
}

/** Ends those of the children that still run, with what they have started themselves; tells which those were. */
export async function stopOrphans(
  children: readonly SupervisedChild[],
  drainMs: number = stopLimits.orphanDrainMs,
): Promise<readonly SupervisedChild[]> {
  const alive = children.filter(isSameProcess);
  await Promise.all(
    alive.map(async (child) => {
      sendSignal(child.pid, 'SIGTERM');
      if (!(await hasEnded(child, drainMs))) sendSignal(child.pid, 'SIGKILL');
      await hasEnded(child, stopLimits.killDeadlineMs);
      killGroup(child.pid);
    }),
  );
  return alive;
}

async function hasEnded(known: { pid: number; startTime: string }, withinMs: number): Promise<boolean> {
  const deadline = performance.now() + withinMs;
  while (isSameProcess(known)) {
    if (performance.now() >= deadline) return false;
    await delay(stopLimits.pollMs);
  }
  return true;
}

/** Another supervisor may have taken over meanwhile; its file stays. */
function removeIfStill(path: string, written: StackFile): void {
  const now = readStackFile(path);
  if (now?.pid === written.pid && now.startTime === written.startTime) rmSync(path, { force: true });
}
