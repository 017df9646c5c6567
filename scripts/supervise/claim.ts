import { linkSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { isSameProcess, processStartTime } from './process-identity.ts';
import {
  type RunningStack,
  readRunning,
  readStackFile,
  type StackFile,
  type SupervisedChild,
  stackFilePath,
  stopOrphans,
} from './running.ts';

/** The right to run a stack on a data directory; at most one process holds it. */
export interface Claim {
  readonly dataDir: string;
  /** Writes down what runs, so that `status` can show it and a successor can end it. */
  record(ports: Readonly<Record<string, number>>, children: readonly SupervisedChild[]): void;
  /** Gives the right back; calling it again does nothing. */
  release(): void;
}

export type ClaimOutcome =
  | { readonly kind: 'claimed'; readonly claim: Claim; readonly orphansStopped: readonly string[] }
  | { readonly kind: 'already-running'; readonly stack: RunningStack };

/**
 * Claims the data directory for this process, or tells which stack runs on it already. What a supervisor left running
 * when it died is stopped first: two index workers on one directory would be worse than none.
 */
export async function claimDataDir(dataDir: string, startedAt: Date): Promise<ClaimOutcome> {
  mkdirSync(dataDir, { recursive: true });
  const path = stackFilePath(dataDir);
  const startTime = processStartTime(process.pid);
  if (startTime === undefined) throw new Error('this process cannot find out when it started');
  const own = { schema: 'lakehouse.up.v1' as const, pid: process.pid, startTime, startedAt: startedAt.toISOString() };

  let orphans: readonly SupervisedChild[] = [];
  while (!createFile(path, { ...own, ports: {}, children: [...orphans] })) {
    const stack = readRunning(dataDir);
    if (stack !== undefined) return { kind: 'already-running', stack };
    orphans = [...orphans, ...takeAway(path)];
  }
  // Until they have ended they stay written down: should this process die now, the next one ends them.
  const stopped = await stopOrphans(orphans);
  const claim = heldClaim(dataDir, own);
  claim.record({}, []);
  return { kind: 'claimed', claim, orphansStopped: stopped.map(({ name }) => name) };
}

function heldClaim(dataDir: string, own: Omit<StackFile, 'ports' | 'children'>): Claim {
  const path = stackFilePath(dataDir);
  let released = false;
  return {
    dataDir,
    record(ports, children) {
      if (released) return;
      const temporary = writeAside(path, { ...own, ports: { ...ports }, children: [...children] });
      renameSync(temporary, path);
    },
    release() {
      if (released) return;
      released = true;
      rmSync(path, { force: true });
    },
  };
}

/** Puts the file there whole, unless one is there. */
function createFile(path: string, content: StackFile): boolean {
  const temporary = writeAside(path, content);
  try {
    linkSync(temporary, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(temporary, { force: true });
  }
}

function writeAside(path: string, content: StackFile): string {
  const temporary = `${path}.${process.pid}.new`;
  writeFileSync(temporary, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o644 });
  return temporary;
}

/**
 * Takes a dead supervisor's file away and tells whom it had started. Another process may have done that already and
 * have put its own there: then that one is put back.
 */
function takeAway(path: string): readonly SupervisedChild[] {
  const aside = `${path}.${process.pid}.stale`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  const taken = readStackFile(aside);
  if (taken !== undefined && isSameProcess(taken)) {
    linkSync(aside, path);
    rmSync(aside);
    return [];
  }
  rmSync(aside);
  return taken?.children ?? [];
}
