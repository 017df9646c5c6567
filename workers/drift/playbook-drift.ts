/** A recorded answer, and where a search for its query finds it now. */
export interface PlaybookStanding {
  readonly playbook_id: string;
  readonly query_text: string;
  readonly answer_id: string;
  readonly answer_corpus: string;
  /** From 1; null where it is not among the first k. */
  readonly rank: number | null;
}

export interface PlaybookDrift {
  readonly k: number;
  readonly total: number;
  readonly drifted: number;
  /** drifted / total; 0 where there is nothing. */
  readonly drift_rate: number;
  /** Those whose answer fell out of the first k. */
  readonly entries: readonly PlaybookStanding[];
}

/** Which recorded answers fell out of the first k of a search for their own query. */
export function playbookDrift(standings: readonly PlaybookStanding[], k: number): PlaybookDrift {
  const entries = standings.filter(({ rank }) => rank === null || rank > k);
  const total = standings.length;
  return { k, total, drifted: entries.length, drift_rate: total === 0 ? 0 : entries.length / total, entries };
}
