import type { CorpusIndex } from '../corpus-index/corpus-index.ts';

/**
 * Recall@k of an index against exact search on itself: of the k nearest by exact distance, the part that the index finds,
 * over the vectors of sampled documents as queries. A hit at the distance of the k-th nearest counts (ties).
 * @returns null where there is nothing to ask
 */
export function measureRecall(index: CorpusIndex, ids: readonly string[], k: number): number | null {
  let found = 0;
  let wanted = 0;
  for (const id of ids) {
    const query = index.vector(id);
    if (query === undefined) continue;
    const exact = index.search(query, k, { exact: true });
    const bound = (exact.at(-1)?.distance ?? 0) + tieDistance;
    found += Math.min(exact.length, index.search(query, k).filter((hit) => hit.distance <= bound).length);
    wanted += exact.length;
  }
  return wanted === 0 ? null : found / wanted;
}

const tieDistance = 1e-9;

/** Evenly spread members of a list, at most `count`. */
export function spread<Value>(values: readonly Value[], count: number): Value[] {
  if (values.length <= count) return [...values];
  return Array.from({ length: count }, (_, place) => values[Math.floor((place * values.length) / count)]).filter(
    (value) => value !== undefined,
  );
}
