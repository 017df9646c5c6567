import { join } from 'node:path';
import { evidenceRecordSchema } from '../../../schemas/distillation/evidence-record.ts';
import type { ScoredRun } from '../../../schemas/distillation/scored-run.ts';
import { issueSentence } from '../../../schemas/problems.ts';
import { createDigestTable } from '../files/digest-table.ts';
import { appendLines, readRows } from '../files/json-lines.ts';
import { jsonlFiles, layout } from '../files/layout.ts';
import { scoreEvidence, scoreKey, scorerVersion } from '../scoring/score-evidence.ts';
import { emptyStats, progressEveryRows, type StageContext, type StageOutcome } from './stage.ts';

const errorsToldMax = 100;

/**
 * Evidence is scored, `scored-runs/` beside `evidence/`, file by file. What has a score of this version of the rules is
 * not scored again.
 */
export async function scoreStage(context: StageContext): Promise<StageOutcome> {
  const stats = emptyStats();
  const errors: string[] = [];
  const inputs = await jsonlFiles(context.root, layout.evidence);
  const outputs = inputs.map(scoredPathOf);
  for (const [index, path] of inputs.entries()) {
    const output = join(context.root, outputs[index] ?? '');
    const known = createDigestTable();
    for await (const { row } of readRows<ScoredRun>(output)) known.put(scoreKey(row));
    const writer = await appendLines(output);
    try {
      for await (const { row } of readRows(join(context.root, path))) {
        stats.records_in++;
        if (stats.records_in % progressEveryRows === 0) context.progress('score', stats.records_in);
        const evidence = evidenceRecordSchema.safeParse(row);
        if (!evidence.success) {
          stats.skipped++;
          if (errors.length < errorsToldMax) errors.push(`${path}: ${issueSentence(evidence.error)}`);
          continue;
        }
        const scored = scoreEvidence(evidence.data, context.recordedAt);
        stats.records_out++;
        if (scored.category === 'accepted') stats.accepted++;
        else if (scored.category === 'rejected') stats.rejected++;
        else stats.quarantined++;
        if (known.put(scoreKey(scored)).fresh) await writer.append(scored);
      }
    } finally {
      await writer.close();
    }
  }
  const errorClasses = errors.length === 0 ? [] : ['schema_violation'];
  const parameters = { scorer_version: scorerVersion };
  return { inputs, outputs, stats, parameters, errors, warnings: [], errorClasses };
}

export function scoredPathOf(evidencePath: string): string {
  return `${layout.scoredRuns}${evidencePath.slice(layout.evidence.length)}`;
}

export function evidencePathOf(scoredPath: string): string {
  return `${layout.evidence}${scoredPath.slice(layout.scoredRuns.length)}`;
}
