import type { EvidenceStem } from '../evidence/sources.ts';

const time = (minute: number) => `2026-04-27T05:${String(minute).padStart(2, '0')}:00.000Z`;

/**
 * The fifteen rows of the acceptance gate, by source, each with what has to become of it. `category` is null for the row
 * that becomes no evidence.
 */
export const acceptanceRows: readonly {
  readonly stem: EvidenceStem;
  readonly category: 'accepted' | 'partially_accepted' | 'rejected' | 'needs_human_review' | null;
  readonly row: Readonly<Record<string, unknown>>;
}[] = [
  {
    stem: 'scrum_reviews',
    category: 'accepted',
    row: {
      run_id: 'scrum-1',
      file: 'crates/queryd/src/db.go',
      reviewed_at: time(1),
      accepted_model: 'reviewer-a',
      accepted_on_attempt: 1,
      suggestions_preview: 'Verify that the connection is closed on every path. The pool leaks one when a query fails.',
    },
  },
  {
    stem: 'scrum_reviews',
    category: 'partially_accepted',
    row: {
      run_id: 'scrum-2',
      file: 'crates/gateway/src/main.rs',
      reviewed_at: time(2),
      accepted_model: 'reviewer-a',
      accepted_on_attempt: 3,
      suggestions_preview: 'Check that the body limit holds before the body is read, and answer 413 where it does not.',
    },
  },
  {
    stem: 'scrum_reviews',
    category: 'needs_human_review',
    row: {
      run_id: 'scrum-3',
      file: 'crates/ingestd/src/csv.rs',
      reviewed_at: time(3),
      accepted_model: 'reviewer-b',
      suggestions_preview: 'The type of a column is decided from its first row alone.',
    },
  },
  {
    stem: 'scrum_reviews',
    category: 'accepted',
    row: {
      run_id: 'scrum-4',
      file: 'crates/catalogd/src/registry.rs',
      reviewed_at: time(4),
      accepted_model: 'reviewer-a',
      accepted_on_attempt: 1,
      tree_split_fired: true,
      scratchpad_shards: 4,
      suggestions_preview: 'Read in four parts and put together again: ensure that a manifest is swapped in whole.',
    },
  },
  {
    stem: 'scrum_reviews',
    category: null,
    row: {
      run_id: 'scrum-5',
      file: 'crates/queryd/src/plan.rs',
      accepted_on_attempt: 1,
      suggestions_preview: 'No time.',
    },
  },
  {
    stem: 'audits',
    category: 'accepted',
    row: {
      finding_id: 'finding-1',
      phase: '38',
      severity: 'info',
      topic: 'naming',
      resolution: 'noted',
      ts: time(6),
      evidence: 'The names of the two handlers say the same thing; assert that only one of them is mounted.',
    },
  },
  {
    stem: 'audits',
    category: 'rejected',
    row: {
      finding_id: 'finding-2',
      phase: '39',
      severity: 'high',
      topic: 'PRD drift',
      resolution: 'open',
      ts: time(7),
      evidence: 'The requirements ask for a role gate, and the handler never passes the role on.',
    },
  },
  {
    stem: 'audits',
    category: 'partially_accepted',
    row: {
      finding_id: 'finding-3',
      phase: '40',
      severity: 'medium',
      topic: 'limits',
      resolution: 'planned',
      ts: time(8),
      evidence: 'The list has no upper bound; check that it stops at ten thousand keys.',
    },
  },
  {
    stem: 'auto_apply',
    category: 'accepted',
    row: {
      run_id: 'apply-1',
      file: 'crates/queryd/src/db.go',
      action: 'committed',
      ts: time(9),
      model: 'applier-a',
      patch: 'defer connection.Close() is moved above the first return.',
    },
  },
  {
    stem: 'auto_apply',
    category: 'rejected',
    row: {
      run_id: 'apply-2',
      file: 'crates/gateway/src/main.rs',
      action: 'build_red_reverted',
      ts: time(10),
      model: 'applier-a',
      patch: 'The limit became a constant that another module already exports.',
    },
  },
  {
    stem: 'contract_analyses',
    category: 'accepted',
    row: {
      permit_id: 'permit-100',
      contractor: 'Beacon Freight',
      analyzed_at: time(11),
      model: 'analyst-a',
      observer_verdict: 'accept',
      observer_conf: 90,
      analysis: 'Four forklift operators for six weeks. Ensure that each is certified before the first shift.',
    },
  },
  {
    stem: 'contract_analyses',
    category: 'rejected',
    row: {
      permit_id: 'permit-101',
      contractor: 'Parallel Machining',
      analyzed_at: time(12),
      model: 'analyst-a',
      observer_verdict: 'reject',
      observer_conf: 80,
      failure_markers: ['wrong_permit_class'],
      analysis: 'Counted a demolition permit as new work.',
    },
  },
  {
    stem: 'distilled_facts',
    category: 'needs_human_review',
    row: {
      run_id: 'extract-1',
      source_label: 'runbook',
      extracted_at: time(13),
      extractor: 'extractor-a',
      text: 'Snapshots are written before their manifest.',
    },
  },
  {
    stem: 'observer_reviews',
    category: 'accepted',
    row: {
      run_id: 'observer-1',
      file: 'crates/vectord/src/index.rs',
      ts: time(14),
      verdict: 'accept',
      confidence: 0.9,
      notes: ['Verify the lengths before the first write: the batch is then all or nothing.'],
    },
  },
  {
    stem: 'observer_reviews',
    category: 'rejected',
    row: {
      run_id: 'observer-2',
      file: 'crates/vectord/src/index.rs',
      ts: time(15),
      verdict: 'reject',
      confidence: 0.8,
      notes: ['It writes the first half of a batch and then fails.'],
    },
  },
];

/** The rows of each stem as the lines of its file, in order. */
export function acceptanceFiles(): Map<EvidenceStem, string[]> {
  const files = new Map<EvidenceStem, string[]>();
  for (const { stem, row } of acceptanceRows) files.set(stem, [...(files.get(stem) ?? []), JSON.stringify(row)]);
  return files;
}
