import type { EvidenceRecord } from '../../../schemas/distillation/evidence-record.ts';
import {
  type Exporter,
  type QuarantineReason,
  type QuarantineRow,
  quarantineReasons,
} from '../../../schemas/distillation/exports.ts';
import { provenanceSchema } from '../../../schemas/distillation/provenance.ts';
import type { ScoredRun } from '../../../schemas/distillation/scored-run.ts';
import { issueSentences } from '../../../schemas/problems.ts';

/** A scored run with the evidence that it scores; the evidence is undefined where none was found. */
export interface ScoredEvidence {
  readonly scored: ScoredRun;
  readonly evidence: EvidenceRecord | undefined;
}

/** Why an exporter refused a row. */
export interface Refusal {
  readonly reason: QuarantineReason;
  readonly errors: readonly string[];
}

export type Exported<Sample> = { readonly sample: Sample } | { readonly refusal: Refusal };

export function refuse(reason: QuarantineReason, ...errors: string[]): { readonly refusal: Refusal } {
  return { refusal: { reason, errors } };
}

/** The row that keeps what was refused. @param sourceRecord the scored run or the pair, as it was */
export function quarantineRow(
  exporter: Exporter,
  { reason, errors }: Refusal,
  sourceRecord: unknown,
  provenance: unknown,
  recordedAt: string,
): QuarantineRow {
  const known = provenanceSchema.omit({ recorded_at: true }).safeParse(stripped(provenance));
  return {
    exporter,
    reason,
    source_record: sourceRecord,
    errors: [...errors],
    recorded_at: recordedAt,
    ...(known.success ? { source_provenance: known.data } : {}),
  };
}

function stripped(provenance: unknown): unknown {
  if (typeof provenance !== 'object' || provenance === null) return provenance;
  const { recorded_at: _time, ...rest } = provenance as Record<string, unknown>;
  return rest;
}

export type QuarantineCounts = Record<QuarantineReason, number> & { total: number };

/** Every reason from 0, and their sum. */
export function emptyCounts(): QuarantineCounts {
  return Object.fromEntries([...quarantineReasons, 'total'].map((name) => [name, 0])) as QuarantineCounts;
}

/** What keeps any row out, whichever exporter asks, once its category lets it in. */
export function commonRefusal({ scored, evidence }: ScoredEvidence): { readonly refusal: Refusal } | undefined {
  const provenance = provenanceSchema.safeParse(scored.provenance);
  if (!provenance.success) {
    const errors = issueSentences(provenance.error).map((sentence) => `provenance.${sentence}`);
    return refuse('missing_provenance', ...errors);
  }
  if (scored.evidence_run_id.trim() === '') return refuse('missing_source_run_id', 'evidence_run_id is blank');
  if (evidence === undefined) return refuse('missing_source_run_id', 'no evidence has this run and signature');
  const path = evidence.source_files?.find(isImpossiblePath);
  if (path !== undefined) return refuse('hallucinated_file_path', `"${path}" can be no path inside a repository`);
  if ((evidence.text ?? '').trim() === '') return refuse('empty_content', 'the evidence has no text');
  return undefined;
}

/** Absolute, climbing out, or a template that nobody filled in. */
function isImpossiblePath(path: string): boolean {
  return path.startsWith('/') || path.split('/').includes('..') || /[<>{}\n]/.test(path);
}
