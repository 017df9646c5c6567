import type { ResultChange } from '../../schemas/distillation/search-replay.ts';
import type { ProblemCode } from '../../schemas/problems.ts';

/** What a side answered. */
export interface Answer {
  /** Why there is no answer, where there is none. */
  readonly problem: ProblemCode | null;
  /** In the order of their ranks. */
  readonly results: readonly { readonly id: string; readonly corpus: string; readonly distance: number }[];
  readonly boosted: number;
  readonly injected: number;
}

/**
 * Both sides scan exactly and with one arithmetic, so what did not change is equal to the last bit; this much is allowed
 * all the same.
 */
export const distanceTolerance = 1e-9;

/**
 * The results that stand at another rank or distance, or on one side only, by their better rank; empty where the answers are
 * the same.
 */
export function changedResults(before: Answer, against: Answer): ResultChange[] {
  const places = new Map<string, ResultChange>();
  const keyOf = ({ corpus, id }: { corpus: string; id: string }) => `${corpus} ${id}`;
  for (const [at, { id, corpus, distance }] of before.results.entries())
    places.set(keyOf({ id, corpus }), { id, corpus, rank: [at + 1, null], distance: [distance, null] });
  for (const [at, { id, corpus, distance }] of against.results.entries()) {
    const known = places.get(keyOf({ id, corpus }));
    const rank = known?.rank[0] ?? null;
    const was = known?.distance[0] ?? null;
    places.set(keyOf({ id, corpus }), { id, corpus, rank: [rank, at + 1], distance: [was, distance] });
  }
  return [...places.values()]
    .filter(({ rank, distance }) => rank[0] !== rank[1] || !isSame(distance))
    .sort((one, other) => betterRank(one) - betterRank(other));
}

function isSame([before, against]: ResultChange['distance']): boolean {
  return before !== null && against !== null && Math.abs(before - against) <= distanceTolerance;
}

function betterRank({ rank: [before, against] }: ResultChange): number {
  return Math.min(before ?? Number.POSITIVE_INFINITY, against ?? Number.POSITIVE_INFINITY);
}
