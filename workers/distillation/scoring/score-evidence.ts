import type { EvidenceRecord } from '../../../schemas/distillation/evidence-record.ts';
import type { ScoredRun } from '../../../schemas/distillation/scored-run.ts';
import { isEvidenceStem, stemOf } from '../evidence/sources.ts';
import { rules, unknownSource } from './rules.ts';

/** Raised in the change that changes a rule, and nowhere else: no environment has a say. */
export const scorerVersion = 'v1.0.0';

/**
 * Scores one evidence record by the rules of its source. Pure; the record stays as it is.
 * @param scoredAt ISO 8601, of the run
 */
export function scoreEvidence(record: EvidenceRecord, scoredAt: string): ScoredRun {
  const stem = stemOf(record.provenance.source_file);
  const rule = isEvidenceStem(stem) ? rules[stem] : unknownSource;
  const { category, reasons } = rule(record);
  return {
    schema_version: 1,
    evidence_run_id: record.run_id,
    evidence_task_id: record.task_id,
    category,
    reasons: [...reasons],
    scored_at: scoredAt,
    scorer_version: scorerVersion,
    ...(record.observer_verdict === undefined ? {} : { sub_scores: { observer_verdict: record.observer_verdict } }),
    provenance: record.provenance,
  };
}

/** What makes a score the same score: a new version of the rules scores a row again, the same version does not. */
export function scoreKey({ provenance, scorer_version }: Pick<ScoredRun, 'provenance' | 'scorer_version'>): string {
  return `${provenance.sig_hash}:${scorer_version}`;
}
