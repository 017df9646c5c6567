import type { DriftReport, RunSummary } from '../../../schemas/distillation/receipts.ts';

/** A run for a person to read. */
export function summaryMarkdown(summary: RunSummary, drift: DriftReport): string {
  const rows = summary.stages.map(
    (stage) =>
      `| ${stage.stage} | ${stage.records_in} | ${stage.records_out} | ${stage.accepted} | ${stage.rejected} | ${stage.quarantined} | ${stage.skipped} | ${stage.passed ? 'passed' : 'FAILED'} |`,
  );
  const { rag, sft, preference } = summary.datasets;
  return [
    `# Distillation ${summary.run_id}: ${summary.overall_passed ? 'passed' : 'failed'}`,
    '',
    `Recorded at ${summary.recorded_at}, commit ${summary.git_commit ?? 'unknown'}. Run hash \`${summary.run_hash}\`.`,
    '',
    '| stage | in | out | accepted | rejected | quarantined | skipped | |',
    '|---|---:|---:|---:|---:|---:|---:|---|',
    ...rows,
    '',
    `Playbooks ${rag}, training samples ${sft}, pairs ${preference}.`,
    '',
    drift.prior_run_id === null
      ? 'There is no run before this one.'
      : `Against ${drift.prior_run_id}: ${drift.severity}${drift.flags.length === 0 ? '' : ` (${drift.flags.join(', ')})`}.`,
    '',
  ].join('\n');
}
