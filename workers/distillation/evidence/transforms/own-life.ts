import { idField, keepFields, numberField, textField } from '../row-fields.ts';
import type { Transform } from '../transform.ts';

/** `playbook_records`: a person chose an answer. Its score says how good it was. */
export const playbookRecords: Transform = (row) => ({
  run_id: idField(row, 'run_id'),
  task_id: idField(row, 'playbook_id'),
  timestamp: textField(row, 'recorded_at'),
  model_role: 'executor',
  text: textField(row, 'text'),
  success_markers: (numberField(row, 'score') ?? 0) >= 0.5 ? ['chosen'] : undefined,
  failure_markers: (numberField(row, 'score') ?? 1) < 0.5 ? ['chosen_with_a_low_score'] : undefined,
  metadata: keepFields(row, 'query_text', 'answer_id', 'answer_corpus', 'score', 'role', 'corpus'),
});

/** `playbook_retractions`: a choice was taken back. */
export const playbookRetractions: Transform = (row) => ({
  run_id: idField(row, 'run_id'),
  task_id: idField(row, 'playbook_id'),
  timestamp: textField(row, 'recorded_at'),
  model_role: 'reviewer',
  text: textField(row, 'text'),
  failure_markers: ['retracted'],
  metadata: keepFields(row, 'playbook_id', 'corpus', 'reason'),
});

/** `search_choices`: a search that a person followed with a record, and where the chosen answer stood in it. */
export const searchChoices: Transform = (row) => {
  const rank = numberField(row, 'rank');
  return {
    run_id: idField(row, 'run_id'),
    task_id: idField(row, 'playbook_id'),
    timestamp: textField(row, 'searched_at'),
    model_role: 'executor',
    text: textField(row, 'text'),
    success_markers: rank === undefined ? undefined : [rank === 1 ? 'chosen_first' : 'chosen_below_first'],
    failure_markers: rank === undefined ? ['chosen_not_found'] : undefined,
    metadata: keepFields(row, 'query_text', 'answer_id', 'answer_corpus', 'rank', 'distance', 'k'),
  };
};

/** `observer_events`: what anybody reported to the observer. */
export const observerEvents: Transform = (row) => ({
  run_id: idField(row, 'run_id'),
  task_id: idField(row, 'endpoint'),
  timestamp: textField(row, 'timestamp'),
  model_role: 'other',
  text: textField(row, 'output_summary', 'input_summary'),
  success_markers: row.success === true ? ['ok'] : undefined,
  failure_markers: row.success === false ? ['failed'] : undefined,
  latency_ms: numberField(row, 'duration_ms'),
  metadata: keepFields(row, 'endpoint', 'source', 'error', 'staffer_id', 'role', 'city', 'state'),
});
