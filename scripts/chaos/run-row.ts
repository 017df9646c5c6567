import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRandom } from '../random.ts';
import { type FaultOutcome, type FaultRow, faultIds, type Scale } from './fault-row.ts';

/** One run of a row: its control, the fault, or one of its mutations. */
export interface RowRequest {
  readonly seed: number;
  readonly scale: Scale;
  readonly fault: boolean;
  readonly mutation: string | undefined;
  readonly budgetMs?: number | undefined;
}

/** What came of it: an outcome, or the sentence of what was thrown. */
export interface RowRun {
  readonly outcome: FaultOutcome | undefined;
  readonly failure: string | undefined;
  readonly durationMs: number;
}

/** Runs a row once in this process, in a scratch folder that is removed after it. What it throws is its failure. */
export async function runRow(
  row: FaultRow,
  request: RowRequest,
  report: (line: string) => void = () => {},
): Promise<RowRun> {
  const began = performance.now();
  const durationMs = () => Math.round(performance.now() - began);
  const directory = await mkdtemp(join(tmpdir(), `lakehouse-chaos-${row.fault.toLowerCase()}-`));
  try {
    const random = createRandom(request.seed, faultIds.indexOf(row.fault) + 1);
    const outcome = await row.run({ ...request, random, directory, report });
    return { outcome, failure: undefined, durationMs: durationMs() };
  } catch (error) {
    return { outcome: undefined, failure: sentenceOf(error), durationMs: durationMs() };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

export function sentenceOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
