import { join } from 'node:path';
import { evidenceRecordSchema } from '../../schemas/distillation/evidence-record.ts';
import { scoreCategorySchema } from '../../schemas/distillation/scored-run.ts';
import { openScoredEvidence, scoredPlaces } from '../../workers/distillation/run/scored-evidence.ts';
import { scoreEvidence, scorerVersion } from '../../workers/distillation/scoring/score-evidence.ts';
import { type PersistedScore, type ScorerDrift, scorerDrift } from '../../workers/drift/scorer-drift.ts';

/** What the rules of today say otherwise of the scores below a data directory. */
export async function scorerDriftOf(root: string): Promise<ScorerDrift> {
  const source = openScoredEvidence(join(root));
  const scores: PersistedScore[] = [];
  try {
    for await (const place of scoredPlaces(root)) {
      const { scored, evidence } = await source.read(place);
      const record = evidenceRecordSchema.safeParse(evidence);
      const category = scoreCategorySchema.safeParse(scored.category);
      if (record.success && category.success) scores.push({ record: record.data, category: category.data });
    }
  } finally {
    await source.close();
  }
  return scorerDrift(scores, (record) => scoreEvidence(record, record.provenance.recorded_at), scorerVersion);
}
