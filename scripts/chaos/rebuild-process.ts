import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { IndexRebuildRun } from '../../schemas/events/lines.ts';
import { messageSchema, type Task } from '../../workers/rebuild/task.ts';
import { distDirectory } from '../command/paths.ts';
import { endingWithParent } from '../testing/ending-with-parent.ts';
import type { ChaosStack } from './stack.ts';

export interface RebuildResult {
  readonly runs: readonly IndexRebuildRun[];
  /** Undefined where it came to its end. */
  readonly failure: string | undefined;
}

/** One rebuild in a process of its own, which can be killed at a step that it tells of. */
export interface Rebuild {
  /** False where it failed before its first step: somebody else rebuilds, or it can not begin. */
  readonly begun: Promise<boolean>;
  readonly ended: Promise<RebuildResult>;
  /** Resolves when it tells of a step for the first time, to false where it ended without. */
  untilStep(step: string): Promise<boolean>;
  /** 1 where it was still there to be killed, else 0. */
  kill9(): Promise<number>;
}

export function startRebuild(stack: Pick<ChaosStack, 'environmentOf'>, task: Task): Rebuild {
  const entry = join(distDirectory(), 'workers', 'rebuild', 'main.js');
  const { command, args } = endingWithParent(process.execPath, ['--enable-source-maps', entry, JSON.stringify(task)]);
  const child = spawn(command, args, {
    env: { ...process.env, LAKEHOUSE_LOG_LEVEL: 'silent', ...stack.environmentOf('operator') },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const steps = new Set<string>();
  const waiting: (() => void)[] = [];
  const wake = () => {
    for (const one of waiting.splice(0)) one();
  };
  let isOver = false;
  const exited = new Promise<void>((resolve) => {
    child.once('error', () => resolve());
    child.once('close', () => resolve());
  });
  const read = async (): Promise<RebuildResult> => {
    let runs: readonly IndexRebuildRun[] | undefined;
    let failure: string | undefined;
    for await (const line of createInterface({ input: child.stdout })) {
      const message = messageSchema.parse(JSON.parse(line));
      if (message.say === 'progress') steps.add(message.step);
      else if (message.say === 'rebuilt') runs = message.runs;
      else if (message.say === 'failed') failure = message.message;
      wake();
    }
    await exited;
    isOver = true;
    wake();
    return { runs: runs ?? [], failure: runs === undefined ? (failure ?? 'it ended without a word') : undefined };
  };
  const ended = read();
  const until = async (isSo: () => boolean): Promise<boolean> => {
    while (!isSo() && !isOver) await new Promise<void>((resolve) => waiting.push(resolve));
    return isSo();
  };
  return {
    begun: until(() => steps.size > 0),
    ended,
    untilStep: (step) => until(() => steps.has(step)),
    kill9: async () => {
      if (isOver || child.exitCode !== null) return 0;
      child.kill('SIGKILL');
      await exited;
      return 1;
    },
  };
}
