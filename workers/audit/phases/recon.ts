import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { evidenceSources, evidenceStems } from '../../distillation/evidence/sources.ts';
import { jsonlFiles, layout } from '../../distillation/files/layout.ts';
import { type AuditContext, informational, type PhaseOutcome, required } from '../phase.ts';

/** What tells how distillation is made: without it nobody can judge the rest. */
export const reconDocument = 'workers/distillation/README.md';

/** Phase 0: the document is there; which sources have evidence is worth knowing, and a fresh clone has none. */
export async function auditRecon({ root, projectRoot }: AuditContext): Promise<PhaseOutcome> {
  const there = await access(join(projectRoot, reconDocument)).then(
    () => true,
    () => false,
  );
  const files = await jsonlFiles(root, layout.evidence);
  const firstTier = evidenceStems.filter((stem) => evidenceSources[stem].tier === 1);
  const present = firstTier.filter((stem) => files.some((path) => path.endsWith(`/${stem}.jsonl`)));
  return {
    checks: [
      required({
        phase: 0,
        name: 'recon_document',
        expected: `${reconDocument} exists`,
        actual: there ? 'it does' : 'it is missing',
        passed: there,
      }),
      informational({
        phase: 0,
        name: 'first_tier_sources',
        expected: `evidence of the ${firstTier.length} sources of the first tier`,
        actual: `${present.length} of ${firstTier.length}`,
        passed: present.length > 0,
        notes: firstTier.filter((stem) => !present.includes(stem)).map((stem) => `none of ${stem}`),
      }),
    ],
  };
}
