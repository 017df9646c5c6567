import { type ScoreCategory, scoreCategories, scoredRunSchema } from '../../../schemas/distillation/scored-run.ts';
import { issueSentence } from '../../../schemas/problems.ts';
import { createDigestTable, createNumberColumn } from '../../distillation/files/digest-table.ts';
import { jsonlFiles, layout } from '../../distillation/files/layout.ts';
import { type AuditContext, collectFaults, informational, type PhaseOutcome, required } from '../phase.ts';
import { auditedRows, placeOf } from '../rows.ts';

/** Phase 3: the scores that lie on disk, by category; the newest score of a row counts. */
export async function auditScoring({ root }: AuditContext): Promise<PhaseOutcome> {
  const faults = collectFaults();
  const categories: Record<ScoreCategory, number> = {
    accepted: 0,
    partially_accepted: 0,
    rejected: 0,
    needs_human_review: 0,
  };
  for (const path of await jsonlFiles(root, layout.scoredRuns)) {
    const [rows, newest] = [createDigestTable(), createNumberColumn()];
    for await (const row of auditedRows(root, path)) {
      const scored = scoredRunSchema.safeParse(row.value);
      if (scored.success) {
        const { sig_hash } = scored.data.provenance;
        newest.set(rows.put(sig_hash).index, scoreCategories.indexOf(scored.data.category));
      } else faults.add(`${placeOf(row)}: ${issueSentence(scored.error)}`);
    }
    for (let row = 0; row < rows.size(); row++) {
      const category = scoreCategories[newest.get(row)];
      if (category !== undefined) categories[category]++;
    }
  }
  const { accepted, partially_accepted, rejected, needs_human_review } = categories;
  const total = accepted + partially_accepted + rejected + needs_human_review;
  const { count, notes } = faults.done();
  const told = `${accepted} accepted, ${partially_accepted} partially, ${rejected} rejected, ${needs_human_review} for a person`;
  return {
    metrics: {
      p3_accepted: accepted,
      p3_partial: partially_accepted,
      p3_rejected: rejected,
      p3_human: needs_human_review,
    },
    checks: [
      required({
        phase: 3,
        name: 'scores_valid',
        expected: 'some scores on disk, every one valid',
        actual: `${told}; ${count} invalid`,
        passed: total > 0 && count === 0,
        notes,
      }),
      informational({
        phase: 3,
        name: 'scores_decided',
        expected: 'at least half decided without a person',
        actual: `${total - needs_human_review} of ${total}`,
        passed: needs_human_review * 2 <= total,
      }),
    ],
  };
}
