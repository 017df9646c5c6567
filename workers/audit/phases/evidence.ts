import { evidenceRecordSchema } from '../../../schemas/distillation/evidence-record.ts';
import { issueSentence } from '../../../schemas/problems.ts';
import { evidenceSources, isEvidenceStem } from '../../distillation/evidence/sources.ts';
import { jsonlFiles, layout } from '../../distillation/files/layout.ts';
import { type AuditContext, collectFaults, informational, type PhaseOutcome, required } from '../phase.ts';
import { auditedRows, placeOf } from '../rows.ts';

/**
 * Phase 2: there is evidence on disk, and every record of it fits its schema. `p2_evidence_rows` counts what lies there: a
 * repeated audit says the same, which the count of what a run would write anew does not.
 */
export async function auditEvidence({ root }: AuditContext): Promise<PhaseOutcome> {
  const faults = collectFaults();
  const hits = new Map<string, number>();
  let rows = 0;
  for (const path of await jsonlFiles(root, layout.evidence)) {
    const stem = path.slice(path.lastIndexOf('/') + 1, -'.jsonl'.length);
    for await (const row of auditedRows(root, path)) {
      rows++;
      hits.set(stem, (hits.get(stem) ?? 0) + 1);
      const record = evidenceRecordSchema.safeParse(row.value);
      if (!record.success) faults.add(`${placeOf(row)}: ${issueSentence(record.error)}`);
    }
  }
  let skips = 0;
  for await (const _row of auditedRows(root, layout.skips)) skips++;
  const { count, notes } = faults.done();
  const firstTier = [...hits].filter(([stem]) => isEvidenceStem(stem) && evidenceSources[stem].tier === 1);
  return {
    metrics: { p2_evidence_rows: rows, p2_evidence_skips: skips },
    checks: [
      required({
        phase: 2,
        name: 'evidence_valid',
        expected: 'some evidence on disk, every record valid',
        actual: `${rows} records, ${count} invalid`,
        passed: rows > 0 && count === 0,
        notes,
      }),
      informational({
        phase: 2,
        name: 'evidence_first_tier',
        expected: 'records of the first tier',
        actual: String(firstTier.reduce((sum, [, hit]) => sum + hit, 0)),
        passed: firstTier.length > 0,
      }),
      informational({
        phase: 2,
        name: 'evidence_skips',
        expected: 'no row skipped',
        actual: `${skips} skipped`,
        passed: skips === 0,
        notes: skips === 0 ? [] : [`their reasons are in ${layout.skips}`],
      }),
    ],
  };
}
