import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import type { StageName } from '../../schemas/distillation/receipts.ts';
import { gitCommit } from '../../workers/distillation/run/git-commit.ts';
import type { StageContext } from '../../workers/distillation/run/stage.ts';
import { usageError } from '../command/errors.ts';
import type { Output } from '../command/output.ts';
import { createProgress, type Progress } from '../progress.ts';

export interface RunFlags {
  readonly 'run-id'?: string | undefined;
  readonly 'recorded-at'?: string | undefined;
}

/** A run as a person starts it: an id and a time of its own unless they are given. */
export function runContext(flags: RunFlags, root: string, output: Output): StageContext & { finish(): void } {
  const recordedAt = flags['recorded-at'] ?? new Date().toISOString();
  if (Number.isNaN(Date.parse(recordedAt)))
    throw usageError(`"${recordedAt}" is not a time`, 'Write it as 2026-11-17T09:00:00Z.');
  let stage: StageName | undefined;
  let line: Progress | undefined;
  return {
    root,
    runId: flags['run-id'] ?? randomUUID(),
    recordedAt: new Date(recordedAt).toISOString(),
    gitCommit: gitCommit(),
    monotonicMs: () => performance.now(),
    progress: (now, rows) => {
      if (now !== stage) {
        line?.finish();
        stage = now;
        line = createProgress({ label: now, stream: output.progress, now: () => performance.now() });
      }
      line?.update(rows);
    },
    finish: () => line?.finish(),
  };
}
