import type { EvidenceRecord } from '../../../schemas/distillation/evidence-record.ts';
import { type SftSample, sftNever, sftSampleSchema } from '../../../schemas/distillation/exports.ts';
import { type ScoreCategory, scoreCategories } from '../../../schemas/distillation/scored-run.ts';
import { issueSentences } from '../../../schemas/problems.ts';
import { instructionOf } from './instructions.ts';
import { commonRefusal, type Exported, refuse, type ScoredEvidence } from './quarantine.ts';
import { sampleId } from './sample-id.ts';

export interface SftOptions {
  /** Teaches partially accepted rows too. */
  readonly includePartial: boolean;
  readonly createdAt: string;
}

/** A row that must never be taught was about to be: the program is wrong, whatever the data says. */
export class SftContaminationError extends Error {
  constructor(category: ScoreCategory) {
    super(`a row of category "${category}" was about to be written as a training sample: the firewall is broken`);
    this.name = 'SftContaminationError';
  }
}

/** Not one of the categories there are: another fault than contamination. */
export class UnknownCategoryError extends Error {
  constructor(category: string) {
    super(`"${category}" is no category; there are ${scoreCategories.join(', ')}`);
    this.name = 'UnknownCategoryError';
  }
}

/**
 * The second layer of the firewall, asked of every sample once more before it is written; the first is the schema's.
 * @throws SftContaminationError, UnknownCategoryError
 */
export function assertTeachable(category: string): void {
  const known = scoreCategories.find((one) => one === category);
  if (known === undefined) throw new UnknownCategoryError(category);
  if (sftNever.some((never) => never === known)) throw new SftContaminationError(known);
}

/** An instruction with the response that was good: accepted rows of whoever did the work. */
export function exportSft(row: ScoredEvidence, { includePartial, createdAt }: SftOptions): Exported<SftSample> {
  const { scored, evidence } = row;
  const { category } = scored;
  if (sftNever.some((never) => never === category))
    return refuse('unsafe_sft_category', `a row of category "${category}" is never taught`);
  if (category === 'partially_accepted' && !includePartial)
    return refuse('category_disallowed', 'partially accepted (--include-partial lets it in)');
  const refusal = commonRefusal(row);
  if (refusal !== undefined) return refusal;
  if (evidence === undefined || !didTheWork(evidence))
    return refuse(
      'missing_source_run_id',
      `a row of role "${evidence?.model_role}" names no run of whoever did the work`,
    );
  const sample = sftSampleSchema.safeParse({
    schema_version: 1,
    id: sampleId('sft', scored.evidence_run_id, scored.provenance.sig_hash),
    created_at: createdAt,
    instruction: instructionOf(evidence),
    context: (evidence.source_files ?? []).join('\n'),
    response: evidence.text,
    source_run_id: scored.evidence_run_id,
    quality_score: category,
    provenance: scored.provenance,
  });
  if (!sample.success) return refuse('schema_violation', ...issueSentences(sample.error));
  assertTeachable(sample.data.quality_score);
  return { sample: sample.data };
}

/** Executors, appliers, and reviewers whose verdict is known: by an observer, a severity or the attempt it took. */
function didTheWork({ model_role, observer_verdict, success_markers, metadata = {} }: EvidenceRecord): boolean {
  if (model_role === 'executor' || model_role === 'applier') return true;
  const verdictKnown =
    observer_verdict !== undefined || success_markers !== undefined || metadata.severity !== undefined;
  return model_role === 'reviewer' && verdictKnown;
}
