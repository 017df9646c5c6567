import { idField, keepFields, numberField, textField } from '../row-fields.ts';
import type { Transform } from '../transform.ts';

/** `distilled_facts`, `distilled_procedures`, `distilled_config_hints`: what a model drew out of other texts. */
export const distilled: Transform = (row, { rowIndex }) => {
  const streamId = idField(row, 'run_id', 'source_run_id', 'batch_id', 'source_label');
  return {
    run_id: streamId === undefined ? undefined : `${streamId}:${rowIndex}`,
    task_id: idField(row, 'task_id', 'source_label', 'topic', 'source') ?? streamId,
    timestamp: textField(row, 'extracted_at', 'created_at', 'ts', 'timestamp'),
    model_role: 'extractor',
    model_name: textField(row, 'extractor', 'model'),
    text: textField(row, 'text', 'fact', 'procedure', 'hint', 'content'),
    metadata: keepFields(row, 'source_label', 'source_service', 'topic', 'category', 'schema_version'),
  };
};

/** `audit_facts`: facts that a verifier gave verdicts on; those found incorrect are no evidence. */
export const auditFacts: Transform = (row, { rowIndex }) => {
  const streamId = idField(row, 'run_id', 'head_sha', 'audit_id');
  const facts = Array.isArray(row.facts) ? row.facts : [];
  const verdicts = Array.isArray(row.verifier_verdicts) ? row.verifier_verdicts.map(verdictOf) : [];
  const kept = facts.filter(
    (fact, index): fact is string => typeof fact === 'string' && verdicts[index] !== 'INCORRECT',
  );
  return {
    run_id: streamId === undefined ? undefined : `${streamId}:${rowIndex}`,
    task_id: idField(row, 'task_id', 'pr_number', 'topic') ?? streamId,
    timestamp: textField(row, 'extracted_at', 'created_at', 'ts', 'timestamp'),
    model_role: 'extractor',
    model_name: textField(row, 'extractor', 'model'),
    text: kept.length === 0 ? textField(row, 'text') : kept.join('\n'),
    metadata: {
      ...keepFields(row, 'pr_number', 'head_sha', 'source'),
      facts: facts.length,
      facts_incorrect: verdicts.filter((verdict) => verdict === 'INCORRECT').length,
    },
  };
};

function verdictOf(verdict: unknown): string | undefined {
  if (typeof verdict === 'string') return verdict;
  if (typeof verdict !== 'object' || verdict === null || !('verdict' in verdict)) return undefined;
  return typeof verdict.verdict === 'string' ? verdict.verdict : undefined;
}

/** `observer_escalations`: a larger model's look at a cluster of failures. */
export const observerEscalations: Transform = (row, { rowIndex }) => {
  const streamId = idField(row, 'run_id', 'sig_hash', 'cluster_id');
  return {
    run_id: streamId === undefined ? undefined : `${streamId}:${rowIndex}`,
    task_id: idField(row, 'task_id', 'cluster_endpoint', 'endpoint', 'sig_hash') ?? streamId,
    timestamp: textField(row, 'ts', 'escalated_at', 'created_at', 'timestamp'),
    model_role: 'reviewer',
    model_name: textField(row, 'model'),
    text: textField(row, 'analysis', 'text', 'summary'),
    latency_ms: numberField(row, 'latency_ms', 'duration_ms'),
    metadata: keepFields(row, 'cluster_endpoint', 'cluster_size', 'mode', 'sig_hash'),
  };
};
