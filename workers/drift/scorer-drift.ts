import type { EvidenceRecord } from '../../schemas/distillation/evidence-record.ts';
import type { ScoreCategory, ScoredRun } from '../../schemas/distillation/scored-run.ts';

/** A record with the category that it was given once. */
export interface PersistedScore {
  readonly record: EvidenceRecord;
  readonly category: ScoreCategory;
}

export interface ScorerDrift {
  readonly scorer_version: string;
  readonly total: number;
  readonly matched: number;
  readonly drifted: number;
  /** drifted / total; 0 where there is nothing. */
  readonly drift_rate: number;
  /** What moved where, the most frequent first; ties by name. */
  readonly shifts: readonly { readonly from: ScoreCategory; readonly to: ScoreCategory; readonly count: number }[];
  /** The first of those that moved, with the reasons of today. */
  readonly entries: readonly {
    readonly run_id: string;
    readonly from: ScoreCategory;
    readonly to: ScoreCategory;
    readonly reasons: readonly string[];
  }[];
}

const entriesMax = 100;

/** Scores one record after another, and keeps counts alone. */
export interface ScorerDriftTally {
  add(score: PersistedScore): void;
  done(): ScorerDrift;
}

/** What the rules of today would say otherwise than those of the day on which each record was scored. */
export function tallyScorerDrift(
  score: (record: EvidenceRecord) => Pick<ScoredRun, 'category' | 'reasons'>,
  scorerVersion: string,
): ScorerDriftTally {
  let [total, matched] = [0, 0];
  const counts = new Map<string, { from: ScoreCategory; to: ScoreCategory; count: number }>();
  const entries: ScorerDrift['entries'][number][] = [];
  return {
    add: ({ record, category: from }) => {
      total++;
      const { category: to, reasons } = score(record);
      if (from === to) {
        matched++;
        return;
      }
      const key = `${from} ${to}`;
      counts.set(key, { from, to, count: (counts.get(key)?.count ?? 0) + 1 });
      if (entries.length < entriesMax) entries.push({ run_id: record.run_id, from, to, reasons });
    },
    done: () => {
      const drifted = total - matched;
      const shifts = [...counts.entries()]
        .sort(([leftKey, left], [rightKey, right]) => right.count - left.count || (leftKey < rightKey ? -1 : 1))
        .map(([, shift]) => shift);
      const drift_rate = total === 0 ? 0 : drifted / total;
      return { scorer_version: scorerVersion, total, matched, drifted, drift_rate, shifts, entries };
    },
  };
}
