import { type RagSample, ragSampleSchema } from '../../../schemas/distillation/exports.ts';
import { issueSentences } from '../../../schemas/problems.ts';
import { stemOf } from '../evidence/sources.ts';
import { commonRefusal, type Exported, refuse, type ScoredEvidence } from './quarantine.ts';
import { sampleId } from './sample-id.ts';

export interface RagOptions {
  /** Lets rows in that a person has yet to look at; they are marked as such. */
  readonly includeReview: boolean;
  readonly createdAt: string;
}

const titleCharactersMax = 120;

/** A playbook for retrieval: accepted and partially accepted rows; a rejected one never. */
export function exportRag(row: ScoredEvidence, { includeReview, createdAt }: RagOptions): Exported<RagSample> {
  const { scored, evidence } = row;
  const { category } = scored;
  if (category === 'rejected') return refuse('unsafe_rag_category', 'a rejected row is no playbook');
  if (category === 'needs_human_review' && !includeReview)
    return refuse('category_disallowed', 'a person has yet to look at it (--include-review lets it in)');
  const refusal = commonRefusal(row);
  if (refusal !== undefined) return refusal;
  const content = evidence?.text ?? '';
  const sample = ragSampleSchema.safeParse({
    schema_version: 1,
    id: sampleId('rag', scored.evidence_run_id, scored.provenance.sig_hash),
    created_at: createdAt,
    title: titleOf(content),
    content,
    tags: tagsOf(row),
    source_run_id: scored.evidence_run_id,
    success_score: category,
    source_category: category,
    provenance: scored.provenance,
  });
  if (sample.success) return { sample: sample.data };
  return refuse('schema_violation', ...issueSentences(sample.error));
}

/** The first line that says something, cut at a word. */
function titleOf(content: string): string {
  const line =
    content
      .split('\n')
      .find((one) => one.trim() !== '')
      ?.trim() ?? '';
  if (line.length <= titleCharactersMax) return line;
  const cut = line.slice(0, titleCharactersMax - 1);
  const space = cut.lastIndexOf(' ');
  return `${space > 0 ? cut.slice(0, space) : cut}…`;
}

function tagsOf({ scored, evidence }: ScoredEvidence): string[] {
  const stem = stemOf(scored.provenance.source_file);
  const more = [scored.evidence_task_id, evidence?.model_role, evidence?.model_name];
  return [...new Set([stem, ...more.filter((tag): tag is string => tag !== undefined && tag !== '')])];
}
