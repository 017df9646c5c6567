import type { SimulatedMutation } from './mutations.ts';
import { type RunResult, simulate } from './run.ts';

export interface SeedsOptions {
  readonly first: number;
  readonly count: number;
  readonly fault: boolean;
  readonly mutation?: SimulatedMutation | undefined;
  /** Ends with the first seed that fails. */
  readonly untilFailure: boolean;
  /** Told now and then how far it is. */
  readonly onProgress?: (done: number) => void;
}

export interface SeedsResult {
  readonly seeds: number;
  readonly failed: readonly Pick<RunResult, 'seed' | 'failures'>[];
  /** Sums over all seeds. */
  readonly counts: RunResult['counts'];
  /** Of the processor, by this process; what others took of the machine is not in it. */
  readonly processorMs: number;
  readonly seedsPerMinute: number;
}

const failedKept = 20;
const progressEvery = 500;

/** Runs seeds one after another. */
export async function simulateSeeds(options: SeedsOptions): Promise<SeedsResult> {
  const { first, count, fault, mutation, untilFailure, onProgress } = options;
  const failed: { seed: number; failures: readonly string[] }[] = [];
  const counts: Record<string, number> = {};
  const before = process.cpuUsage();
  let seeds = 0;
  const { stackTraceLimit } = Error;
  // Thousands of errors are made on purpose, and nobody looks at where.
  Error.stackTraceLimit = 0;
  // What ends a worker is a failure of its seed, and no reason to run no more.
  const unhandled: string[] = [];
  const note = (error: unknown) => unhandled.push(`a rejection was not handled: ${String(error)}`);
  process.on('unhandledRejection', note);
  while (seeds < count && !(untilFailure && failed.length > 0)) {
    const result = await simulate({ seed: first + seeds, fault, mutation });
    seeds++;
    for (const [name, value] of Object.entries(result.counts)) counts[name] = (counts[name] ?? 0) + value;
    const failures = [...result.failures, ...unhandled.splice(0)];
    if (failures.length > 0 && failed.length < failedKept) failed.push({ seed: result.seed, failures });
    if (seeds % progressEvery === 0) onProgress?.(seeds);
  }
  process.off('unhandledRejection', note);
  Error.stackTraceLimit = stackTraceLimit;
  const { user, system } = process.cpuUsage(before);
  const processorMs = (user + system) / 1_000;
  return {
    seeds,
    failed,
    counts: counts as unknown as RunResult['counts'],
    processorMs,
    seedsPerMinute: (seeds / processorMs) * 60_000,
  };
}
