import type { TitleQuery } from './onet.ts';

/** True where `code` is among the first `k` of the ranked ids. */
export function hitAtK(rankedIds: readonly string[], code: string, k: number): boolean {
  return rankedIds.slice(0, k).includes(code);
}

/** A share with its 95 % interval. */
export interface Share {
  readonly count: number;
  readonly total: number;
  /** `count / total`; 0 of nothing is 0. */
  readonly share: number;
  readonly low: number;
  readonly high: number;
}

/** The two-sided 95 % point of the normal distribution. */
const z95 = 1.959963984540054;

/** The share of successes with its score interval (E. B. Wilson, 1927), which holds near 0 and 1 too. */
export function wilsonShare(count: number, total: number, z: number = z95): Share {
  if (total === 0) return { count, total, share: 0, low: 0, high: 1 };
  const share = count / total;
  const spread = (z * z) / total;
  const centre = (share + spread / 2) / (1 + spread);
  const half = (z / (1 + spread)) * Math.sqrt((share * (1 - share)) / total + spread / (4 * total));
  return { count, total, share, low: Math.max(0, centre - half), high: Math.min(1, centre + half) };
}

export const hitDepths = [1, 5, 10] as const;

export interface HitReport {
  readonly queries: number;
  readonly hitAt1: Share;
  readonly hitAt5: Share;
  readonly hitAt10: Share;
}

export interface EvaluateOptions {
  readonly queries: readonly TitleQuery[];
  /** The ids of the `k` best documents, best first. What it throws ends the evaluation. */
  readonly search: (query: string, k: number) => Promise<readonly string[]>;
  /** Searches under way at a time; 1 where not given. */
  readonly concurrency?: number;
  readonly onProgress?: (done: number) => void;
}

/** Asks every query and counts how often the right occupation is among the first 1, 5 and 10. */
export async function evaluateHits(options: EvaluateOptions): Promise<HitReport> {
  const { queries, search, concurrency = 1, onProgress } = options;
  const [, , depth] = hitDepths;
  const found = { at1: 0, at5: 0, at10: 0 };
  let done = 0;
  const pending = queries.values();

  const askInTurn = async (): Promise<void> => {
    // The searchers share one iterator, so that each query is asked once.
    for (const { query, code } of pending) {
      const ranked = await search(query, depth);
      found.at1 += Number(hitAtK(ranked, code, hitDepths[0]));
      found.at5 += Number(hitAtK(ranked, code, hitDepths[1]));
      found.at10 += Number(hitAtK(ranked, code, depth));
      done += 1;
      onProgress?.(done);
    }
  };

  await Promise.all(Array.from({ length: Math.max(1, concurrency) }, askInTurn));
  const total = queries.length;
  return {
    queries: total,
    hitAt1: wilsonShare(found.at1, total),
    hitAt5: wilsonShare(found.at5, total),
    hitAt10: wilsonShare(found.at10, total),
  };
}
