import type { AuditReport } from '../../schemas/distillation/audit.ts';
import { formatChange, summarizeDrift } from '../drift/baseline-drift.ts';

/** An audit for a person to read. */
export function auditMarkdown(report: AuditReport): string {
  const { checks, drift, required, skipped_phases: skipped } = report;
  const verdict = report.passed ? 'passed' : 'FAILED';
  return [
    `# Audit: ${verdict}, ${required.passed}/${required.total} required checks`,
    '',
    `Made at ${report.generated_at}, commit ${report.git_commit ?? 'unknown'}. Skipped phases: ${skipped.length}${skipped.map(({ phase, reason }) => ` (phase ${phase}: ${reason})`).join('')}.`,
    '',
    '| phase | check | required | expected | found | |',
    '|---:|---|---|---|---|---|',
    ...checks.map(
      ({ phase, name, required: decides, expected, actual, passed }) =>
        `| ${phase} | ${name} | ${decides ? 'yes' : 'no'} | ${cell(expected)} | ${cell(actual)} | ${passed ? 'passed' : decides ? 'FAILED' : 'not so'} |`,
    ),
    '',
    ...checks.flatMap(({ name, notes, passed }) => (passed ? [] : notes.map((note) => `- ${name}: ${note}`))),
    '',
    '## Drift against the baseline before',
    '',
    summarizeDrift(drift),
    '',
    '| metric | before | now | change | |',
    '|---|---:|---:|---:|---|',
    ...drift.map(
      ({ metric, baseline, current, change, flag }) =>
        `| ${metric} | ${baseline ?? '-'} | ${current} | ${formatChange(change)} | ${flag} |`,
    ),
    '',
  ].join('\n');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
