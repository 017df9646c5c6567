import { join } from 'node:path';
import { evidenceRecordSchema } from '../../../schemas/distillation/evidence-record.ts';
import { issueSentence } from '../../../schemas/problems.ts';
import { appendLines, readLines } from '../files/json-lines.ts';
import { jsonlFiles, layout } from '../files/layout.ts';
import { scoreEvidence, scoreKey, scorerVersion } from '../scoring/score-evidence.ts';
import { emptyStats, progressEveryRows, type StageContext, type StageOutcome } from './stage.ts';

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
    const known = new Set<string>();
    for await (const { text } of readLines(output)) known.add(scoreKey(JSON.parse(text)));
    const writer = await appendLines(output);
    try {
      for await (const { text } of readLines(join(context.root, path))) {
        stats.records_in++;
        if (stats.records_in % progressEveryRows === 0) context.progress('score', stats.records_in);
        const evidence = evidenceRecordSchema.safeParse(JSON.parse(text));
        if (!evidence.success) {
          stats.skipped++;
          errors.push(`${path}: ${issueSentence(evidence.error)}`);
          continue;
        }
        const scored = scoreEvidence(evidence.data, context.recordedAt);
        stats.records_out++;
        if (scored.category === 'accepted') stats.accepted++;
        else if (scored.category === 'rejected') stats.rejected++;
        else stats.quarantined++;
        if (!known.has(scoreKey(scored))) await writer.append(scored);
      }
    } finally {
      await writer.close();
    }
  }
  const errorClasses = errors.length === 0 ? [] : ['schema_violation'];
  const parameters = { scorer_version: scorerVersion };
  return { inputs, outputs, stats, parameters, errors: errors.slice(0, errorsToldMax), warnings: [], errorClasses };
}

const errorsToldMax = 100;

export function scoredPathOf(evidencePath: string): string {
  return `${layout.scoredRuns}${evidencePath.slice(layout.evidence.length)}`;
}

export function evidencePathOf(scoredPath: string): string {
  return `${layout.evidence}${scoredPath.slice(layout.scoredRuns.length)}`;
}
