import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CommandError } from '../command/errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { isSameProcess, processStartTime } from '../supervise/process-identity.ts';

/**
 * Makes sure that one process at a time writes what distillation makes in a data directory. A lock whose process is gone is
 * taken over.
 * @returns what lets go of it
 * @throws CommandError where another process holds it
 */
export function lockDistillation(root: string): () => void {
  mkdirSync(root, { recursive: true });
  const path = join(root, 'distillation.lock');
  const aside = `${path}.${process.pid}`;
  writeFileSync(aside, JSON.stringify({ pid: process.pid, startTime: processStartTime(process.pid) }));
  try {
    for (;;) {
      try {
        linkSync(aside, path);
        return () => rmSync(path, { force: true });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
        const holder = JSON.parse(readFileSync(path, 'utf8'));
        if (isSameProcess(holder)) throw heldBy(holder.pid, root);
        rmSync(path, { force: true });
      }
    }
  } finally {
    rmSync(aside, { force: true });
  }
}

function heldBy(pid: number, root: string): CommandError {
  return new CommandError(exitCodes.unreachable, {
    happened: `process ${pid} distils in "${root}" already`,
    means: 'Two at once would write the same files; nothing was done.',
    remedy: 'Wait until it has ended, and run the command again.',
  });
}
