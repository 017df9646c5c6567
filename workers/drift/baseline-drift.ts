import type { BaselineDriftRow } from '../../schemas/distillation/audit.ts';

/** The metrics of a baseline, in the names that every runtime writes. */
export const baselineMetrics = [
  'p2_evidence_rows',
  'p2_evidence_skips',
  'p3_accepted',
  'p3_partial',
  'p3_rejected',
  'p3_human',
  'p4_rag_rows',
  'p4_sft_rows',
  'p4_pref_pairs',
  'p4_total_quarantined',
] as const;
export type BaselineMetric = (typeof baselineMetrics)[number];

/** A change of more than this share is worth a look. */
export const driftThreshold = 0.2;

/**
 * Compares the metrics of now with those of the baseline before, whatever their names, by name. A change strictly above
 * 20 % either way is `warn`; from 0 to anything is `warn` without a percentage; a metric that the baseline does not have
 * is `first_run`.
 * @param prior undefined where there is no baseline yet
 */
export function baselineDrift(
  prior: Readonly<Record<string, number>> | undefined,
  current: Readonly<Record<string, number>>,
): BaselineDriftRow[] {
  return Object.keys(current)
    .sort()
    .map((metric) => {
      const now = current[metric] ?? 0;
      const baseline = prior !== undefined && Object.hasOwn(prior, metric) ? (prior[metric] ?? null) : null;
      if (baseline === null) return { metric, baseline, current: now, change: null, flag: 'first_run' };
      if (baseline === 0) return { metric, baseline, current: now, change: null, flag: now === 0 ? 'ok' : 'warn' };
      const change = (now - baseline) / baseline;
      return { metric, baseline, current: now, change, flag: Math.abs(change) > driftThreshold ? 'warn' : 'ok' };
    });
}

/** `+583.3%`, `+0.0%`, `-12.5%`; `-` where there is none. */
export function formatChange(change: number | null): string {
  if (change === null) return '-';
  const text = (change * 100).toFixed(1);
  return `${text.startsWith('-') ? '' : '+'}${text === '-0.0' ? '+0.0' : text}%`;
}

/** `5/10 metrics flagged warn, 0 first-run` */
export function summarizeDrift(rows: readonly BaselineDriftRow[]): string {
  const count = (flag: BaselineDriftRow['flag']) => rows.filter((row) => row.flag === flag).length;
  return `${count('warn')}/${rows.length} metrics flagged warn, ${count('first_run')} first-run`;
}
