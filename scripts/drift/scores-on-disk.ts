import { evidenceRecordSchema } from '../../schemas/distillation/evidence-record.ts';
import { scoreCategorySchema } from '../../schemas/distillation/scored-run.ts';
import { openScoredEvidence, scoredPlaces } from '../../workers/distillation/run/scored-evidence.ts';
import { scoreEvidence, scorerVersion } from '../../workers/distillation/scoring/score-evidence.ts';
import { type ScorerDrift, tallyScorerDrift } from '../../workers/drift/scorer-drift.ts';

/** What the rules of today say otherwise of the scores below a data directory. */
export async function scorerDriftOf(root: string): Promise<ScorerDrift> {
  const source = openScoredEvidence(root);
  const tally = tallyScorerDrift((record) => scoreEvidence(record, record.provenance.recorded_at), scorerVersion);
  try {
    for await (const place of scoredPlaces(root)) {
      const { scored, evidence } = await source.read(place);
      const record = evidenceRecordSchema.safeParse(evidence);
      const category = scoreCategorySchema.safeParse(scored.category);
      if (record.success && category.success) tally.add({ record: record.data, category: category.data });
    }
  } finally {
    await source.close();
  }
  return tally.done();
}
