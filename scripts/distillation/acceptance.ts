import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkAcceptance, type Invariant } from '../../workers/distillation/acceptance/invariants.ts';
import { textTable } from '../command/table.ts';

export interface AcceptanceReport {
  readonly passed: boolean;
  readonly invariants: readonly Invariant[];
  readonly text: string;
}

/** Runs the acceptance gate in a folder of its own, and takes it away again. */
export async function acceptance(): Promise<AcceptanceReport> {
  const root = await mkdtemp(join(tmpdir(), 'lakehouse-acceptance-'));
  try {
    const invariants = await checkAcceptance(root);
    const held = invariants.filter(({ holds }) => holds).length;
    const table = textTable(
      [{ title: '' }, { title: 'invariant' }, { title: 'found' }],
      invariants.map(({ holds, sentence, found }) => [holds ? 'holds' : 'FAILS', sentence, holds ? '' : found]),
    );
    return {
      passed: held === invariants.length,
      invariants,
      text: `${table}\n\n${held}/${invariants.length} invariants hold.`,
    };
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}
