import { countField, idField, keepFields, numberField, textField } from '../row-fields.ts';
import type { Transform } from '../transform.ts';

/** `auto_apply`: a change that was applied by itself, and what became of it. A row without a time has its intake's. */
export const autoApply: Transform = (row, { rowIndex, recordedAt }) => {
  const file = textField(row, 'file', 'file_path');
  const action = textField(row, 'action', 'status');
  const streamId = idField(row, 'run_id', 'commit') ?? file;
  const committed = action === 'committed';
  const reverted = action?.endsWith('_reverted') === true;
  return {
    run_id: streamId === undefined ? undefined : `${streamId}:${rowIndex}`,
    task_id: idField(row, 'task_id') ?? (file === undefined ? streamId : `auto_apply:${file}`),
    timestamp: textField(row, 'ts', 'applied_at', 'created_at', 'timestamp') ?? recordedAt,
    model_role: 'applier',
    model_name: textField(row, 'model'),
    text: textField(row, 'patch', 'diff', 'rationale', 'text', 'summary'),
    success_markers: committed && action !== undefined ? [action] : undefined,
    failure_markers: reverted && action !== undefined ? [action] : undefined,
    source_files: file === undefined ? undefined : [file],
    metadata: keepFields(row, 'action', 'status', 'confidence', 'commit'),
  };
};

/** `outcomes`: how a scenario ended. */
export const outcomes: Transform = (row, { rowIndex }) => {
  const createdAt = textField(row, 'created_at');
  if (createdAt === undefined) return { refused: 'created_at is missing: an outcome without a time is no evidence' };
  const streamId = idField(row, 'run_id', 'sig_hash', 'scenario');
  const gaps = countField(row, 'gap_signals') ?? (Array.isArray(row.gap_signals) ? row.gap_signals.length : undefined);
  return {
    run_id: streamId === undefined ? undefined : `${streamId}:${rowIndex}`,
    task_id: idField(row, 'task_id', 'scenario', 'sig_hash') ?? streamId,
    timestamp: createdAt,
    model_role: 'executor',
    text: textField(row, 'summary', 'text', 'output_summary'),
    success_markers: row.all_events_ok === true ? ['all_events_ok'] : undefined,
    latency_ms: numberField(row, 'elapsed_ms', 'duration_ms', 'latency_ms'),
    validation_results: gaps === undefined ? undefined : { gap_signals: gaps },
    metadata: keepFields(row, 'scenario', 'events', 'ok_events', 'staffer_id'),
  };
};

/** `mode_experiments`: one way of asking a model, tried on a task. */
export const modeExperiments: Transform = (row, { rowIndex }) => {
  const streamId = idField(row, 'run_id', 'experiment_id') ?? textField(row, 'mode');
  return {
    run_id: streamId === undefined ? undefined : `${streamId}:${rowIndex}`,
    task_id: idField(row, 'task_id', 'task_class') ?? streamId,
    timestamp: textField(row, 'ts', 'created_at', 'timestamp'),
    model_role: 'executor',
    model_name: textField(row, 'model'),
    // Blank text is kept as such: that a model answered nothing is what the scorer has to see.
    text: textField(row, 'response', 'text', 'output') ?? '',
    latency_ms: numberField(row, 'latency_ms', 'duration_ms'),
    source_files:
      textField(row, 'file_path', 'file') === undefined ? undefined : [textField(row, 'file_path', 'file') ?? ''],
    metadata: keepFields(row, 'mode', 'task_class', 'enriched'),
  };
};
