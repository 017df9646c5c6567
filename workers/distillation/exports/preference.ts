import { type PreferenceSample, preferenceSampleSchema } from '../../../schemas/distillation/exports.ts';
import type { ScoreCategory } from '../../../schemas/distillation/scored-run.ts';
import { issueSentences } from '../../../schemas/problems.ts';
import { instructionOf } from './instructions.ts';
import { commonRefusal, type Exported, refuse, type ScoredEvidence } from './quarantine.ts';
import { sampleId } from './sample-id.ts';

/** Two scored runs of one task, the better one first. */
export interface Pair<Row> {
  readonly chosen: Row;
  readonly rejected: Row;
}

/**
 * The pairs that the rows of one task give: the accepted ones with the rejected ones in turn, and with the partially
 * accepted ones once those are used up. No row is used twice, and nothing is made up to fill a gap: a task may give none.
 * @param rows of one task, in the order in which they were scored
 */
export function pairsOf<Row extends { readonly scored: { readonly category: string } }>(
  rows: readonly Row[],
): Pair<Row>[] {
  const of = (category: ScoreCategory) => rows.filter(({ scored }) => scored.category === category);
  const worse = [...of('rejected'), ...of('partially_accepted')];
  return of('accepted').flatMap((chosen, index) => {
    const rejected = worse[index];
    return rejected === undefined ? [] : [{ chosen, rejected }];
  });
}

/** A pair as a sample: of two runs, with two texts. */
export function exportPreference(pair: Pair<ScoredEvidence>, createdAt: string): Exported<PreferenceSample> {
  const { chosen, rejected } = pair;
  for (const row of [chosen, rejected]) {
    const refusal = commonRefusal(row);
    if (refusal !== undefined) return refusal;
  }
  if (chosen.scored.evidence_run_id === rejected.scored.evidence_run_id)
    return refuse('self_pairing', `both rows are of the run "${chosen.scored.evidence_run_id}"`);
  if (chosen.evidence === undefined || rejected.evidence === undefined)
    return refuse('missing_source_run_id', 'a row of the pair has no evidence');
  if (chosen.evidence.text === rejected.evidence.text)
    return refuse('invalid_preference_pairing', 'both rows have the same text');
  const sample = preferenceSampleSchema.safeParse({
    schema_version: 1,
    id: sampleId(
      'preference',
      chosen.scored.evidence_run_id,
      chosen.scored.provenance.sig_hash,
      rejected.scored.evidence_run_id,
      rejected.scored.provenance.sig_hash,
    ),
    created_at: createdAt,
    prompt: instructionOf(chosen.evidence),
    chosen: chosen.evidence.text,
    rejected: rejected.evidence.text,
    reason: `${chosen.scored.category} over ${rejected.scored.category}: ${rejected.scored.reasons.join('; ')}`,
    chosen_run_id: chosen.scored.evidence_run_id,
    rejected_run_id: rejected.scored.evidence_run_id,
    provenance: chosen.scored.provenance,
  });
  if (sample.success) return { sample: sample.data };
  return refuse('invalid_preference_pairing', ...issueSentences(sample.error));
}
