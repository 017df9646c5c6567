import { describe, expect, it } from 'vitest';
import type { FaultOutcome, FaultRow } from '../fault-row.ts';
import { type RowRequest, runRow } from '../run-row.ts';

const seedLimit = 2 ** 31;
const seed = Number(process.env.LAKEHOUSE_SEED ?? Math.floor(Math.random() * seedLimit));

async function outcomeOf(row: FaultRow, request: Pick<RowRequest, 'fault' | 'mutation'>): Promise<FaultOutcome> {
  const lines: string[] = [];
  const { outcome, failure } = await runRow(row, { ...request, seed, scale: 'short' }, (line) => lines.push(line));
  if (outcome === undefined) throw new Error([`LAKEHOUSE_SEED=${seed}`, ...lines, failure].join('\n'));
  return outcome;
}

const red = ({ checks }: FaultOutcome) => checks.filter(({ held }) => !held);

/** The short version of a row as tests: its control holds, it holds, and each of its mutations is found. */
export function describeRow(row: FaultRow): void {
  describe(`${row.fault}: ${row.title} (LAKEHOUSE_SEED=${seed})`, () => {
    it('holds without the fault', async () => {
      const outcome = await outcomeOf(row, { fault: false, mutation: undefined });
      expect(outcome.checks.length).toBeGreaterThan(0);
      expect(red(outcome)).toEqual([]);
    });

    it(row.passes, async () => {
      const outcome = await outcomeOf(row, { fault: true, mutation: undefined });
      expect(outcome.checks.length).toBeGreaterThan(0);
      expect(red(outcome)).toEqual([]);
    });

    it.each(row.mutations.map(({ name, breaks }) => [name, breaks] as const))('finds %s: %s', async (mutation) => {
      expect(red(await outcomeOf(row, { fault: true, mutation })).length).toBeGreaterThan(0);
    });
  });
}
