import { observerVerdicts } from '../../../../schemas/distillation/evidence-record.ts';
import { countField, idField, keepFields, numberField, type SourceRow, textField, textsField } from '../row-fields.ts';
import type { Transform } from '../transform.ts';

/** `scrum_reviews`: a model's review of a file, with the attempt on which it was accepted. */
export const scrumReviews: Transform = (row, { rowIndex }) => {
  const reviewedAt = textField(row, 'reviewed_at');
  if (reviewedAt === undefined) return { refused: 'reviewed_at is missing: a review without a time is no evidence' };
  const file = textField(row, 'file', 'file_path');
  const attempt = countField(row, 'accepted_on_attempt');
  const marker = attempt === undefined || attempt === 0 ? undefined : [`accepted_on_attempt_${attempt}`];
  const streamId = idField(row, 'run_id', 'cycle_id') ?? file;
  return {
    run_id: streamId === undefined ? undefined : `${streamId}:${rowIndex}`,
    task_id: idField(row, 'task_id') ?? (file === undefined ? undefined : `scrum_review:${file}`),
    timestamp: reviewedAt,
    model_role: 'reviewer',
    model_name: textField(row, 'accepted_model', 'model'),
    text: textField(row, 'suggestions_preview', 'review', 'text'),
    success_markers: marker ?? textsField(row, 'success_markers'),
    failure_markers: textsField(row, 'failure_markers'),
    source_files: file === undefined ? undefined : [file],
    latency_ms: numberField(row, 'latency_ms', 'duration_ms'),
    prompt_tokens: countField(row, 'prompt_tokens'),
    completion_tokens: countField(row, 'completion_tokens'),
    metadata: keepFields(
      row,
      'tree_split_fired',
      'scratchpad_shards',
      'schema_version',
      'scrum_master_reviewed',
      'grade',
    ),
  };
};

/** `observer_reviews`: an observer's verdict on somebody's work. */
export const observerReviews: Transform = (row, { rowIndex }) => {
  const file = textField(row, 'file', 'file_path');
  const streamId = idField(row, 'run_id', 'review_id', 'sig_hash') ?? file;
  return {
    run_id: streamId === undefined ? undefined : `${streamId}:${rowIndex}`,
    task_id: idField(row, 'task_id') ?? (file === undefined ? streamId : `observer_review:${file}`),
    timestamp: textField(row, 'reviewed_at', 'ts', 'created_at', 'timestamp'),
    model_role: 'reviewer',
    model_name: textField(row, 'model'),
    text: textField(row, 'text', 'response', 'review') ?? notesOf(row)?.join('\n'),
    observer_verdict: verdictOf(row),
    observer_notes: notesOf(row),
    observer_confidence: confidenceOf(row, 'confidence', 'observer_confidence'),
    source_files: file === undefined ? undefined : [file],
    metadata: keepFields(row, 'source', 'verdict', 'input_snapshot', 'attempt'),
  };
};

/** `audits`: a finding with its severity. */
export const audits: Transform = (row) => {
  const finding = idField(row, 'finding_id', 'run_id');
  const phase = textField(row, 'phase');
  return {
    run_id: finding,
    task_id: phase === undefined ? idField(row, 'task_id', 'topic') : `phase:${phase}`,
    timestamp: textField(row, 'ts', 'created_at', 'timestamp'),
    model_role: 'reviewer',
    text: textField(row, 'evidence', 'resolution', 'text'),
    success_markers: textsField(row, 'success_markers'),
    failure_markers: textsField(row, 'failure_markers'),
    metadata: keepFields(row, 'severity', 'topic', 'phase', 'resolution', 'overall'),
  };
};

/** `contract_analyses`: an analysis of a building permit, with an observer's verdict and what failed. */
export const contractAnalyses: Transform = (row, { rowIndex }) => {
  const permit = idField(row, 'permit_id', 'permit');
  const streamId = idField(row, 'run_id') ?? permit;
  return {
    run_id: streamId === undefined ? undefined : `${streamId}:${rowIndex}`,
    task_id: permit === undefined ? idField(row, 'task_id') : `permit:${permit}`,
    timestamp: textField(row, 'analyzed_at', 'ts', 'created_at', 'timestamp'),
    model_role: 'executor',
    model_name: textField(row, 'model'),
    text: textField(row, 'analysis', 'text'),
    observer_verdict: verdictOf(row),
    observer_notes: notesOf(row),
    observer_confidence: confidenceOf(row, 'observer_conf', 'observer_confidence', 'confidence'),
    success_markers: textsField(row, 'success_markers'),
    failure_markers: textsField(row, 'failure_markers'),
    latency_ms: numberField(row, 'duration_ms', 'latency_ms'),
    prompt_tokens: countField(row, 'prompt_tokens'),
    completion_tokens: countField(row, 'completion_tokens'),
    metadata: keepFields(row, 'contractor', 'permit_id', 'cost', 'risk'),
  };
};

function verdictOf(row: SourceRow): (typeof observerVerdicts)[number] | undefined {
  const verdict = textField(row, 'observer_verdict', 'verdict')?.trim().toLowerCase();
  return observerVerdicts.find((known) => known === verdict);
}

function notesOf(row: SourceRow): string[] | undefined {
  for (const name of ['observer_notes', 'notes']) {
    const texts = textsField(row, name);
    if (texts !== undefined) return texts;
    const text = textField(row, name);
    if (text !== undefined) return [text];
  }
  return undefined;
}

/** Sources write 0 to 1, or 0 to 100. */
function confidenceOf(row: SourceRow, ...names: readonly string[]): number | undefined {
  const value = numberField(row, ...names);
  if (value === undefined || value < 0) return undefined;
  return value > 1 ? Math.min(value / 100, 1) : value;
}
