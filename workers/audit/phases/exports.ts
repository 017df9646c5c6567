import { exporters, sftNever } from '../../../schemas/distillation/exports.ts';
import { layout } from '../../distillation/files/layout.ts';
import { type AuditContext, type CheckInput, collectFaults, type PhaseOutcome, required } from '../phase.ts';
import { type AuditedRow, auditedRows, hasProvenance, placeOf } from '../rows.ts';

/** Phase 4: what was exported, row by row, read from disk. A line that is no JSON fails the check of its provenance. */
export async function auditExports({ root }: AuditContext): Promise<PhaseOutcome> {
  const checks = {
    sft_without_forbidden_scores: collectFaults(),
    rag_without_rejected: collectFaults(),
    preference_without_self_pairs: collectFaults(),
    preference_without_identical_texts: collectFaults(),
    exports_with_provenance: collectFaults(),
  };
  const rows = { rag: 0, sft: 0, preference: 0 };
  for (const exporter of exporters)
    for await (const row of auditedRows(root, layout.exports[exporter])) {
      rows[exporter]++;
      if (!hasProvenance(row)) checks.exports_with_provenance.add(placeOf(row));
      for (const name of faultsOf[exporter](row.value ?? {})) checks[name].add(placeOf(row));
    }
  let quarantined = 0;
  for (const exporter of exporters)
    for await (const _row of auditedRows(root, layout.quarantine(exporter))) quarantined++;
  return {
    metrics: {
      p4_rag_rows: rows.rag,
      p4_sft_rows: rows.sft,
      p4_pref_pairs: rows.preference,
      p4_total_quarantined: quarantined,
    },
    checks: Object.entries(checks).map(([name, faults]) => {
      const { count, notes } = faults.done();
      const input: CheckInput = {
        phase: 4,
        name,
        expected: '0 rows',
        actual: `${count} rows`,
        passed: count === 0,
        notes,
      };
      return required(input);
    }),
  };
}

type FaultName =
  | 'sft_without_forbidden_scores'
  | 'rag_without_rejected'
  | 'preference_without_self_pairs'
  | 'preference_without_identical_texts';
type RowValue = NonNullable<AuditedRow['value']>;

const faultsOf: Readonly<Record<keyof typeof layout.exports, (row: RowValue) => FaultName[]>> = {
  rag: ({ success_score, source_category }) =>
    success_score === 'rejected' || source_category === 'rejected' ? ['rag_without_rejected'] : [],
  sft: ({ quality_score }) =>
    sftNever.some((never) => never === quality_score) ? ['sft_without_forbidden_scores'] : [],
  preference: ({ chosen, rejected, chosen_run_id, rejected_run_id }) => [
    ...(chosen_run_id === rejected_run_id ? (['preference_without_self_pairs'] as const) : []),
    ...(chosen === rejected ? (['preference_without_identical_texts'] as const) : []),
  ],
};
