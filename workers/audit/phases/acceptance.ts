import { checkAcceptance } from '../../distillation/acceptance/invariants.ts';
import { type AuditContext, notesMax, type PhaseOutcome, required } from '../phase.ts';

/** Phase 6: the acceptance gate, in a folder of its own. */
export async function auditAcceptance({ inScratchFolder }: AuditContext): Promise<PhaseOutcome> {
  const invariants = await inScratchFolder(checkAcceptance);
  const failed = invariants.filter(({ holds }) => !holds);
  return {
    checks: [
      required({
        phase: 6,
        name: 'acceptance_gate',
        expected: `${invariants.length} of ${invariants.length} invariants hold`,
        actual: `${invariants.length - failed.length} of ${invariants.length}`,
        passed: failed.length === 0,
        notes: failed.slice(0, notesMax).map(({ sentence, found }) => `${sentence} ${found}`),
      }),
    ],
  };
}
