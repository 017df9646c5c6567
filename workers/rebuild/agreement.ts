import type { CorpusIndex } from '../corpus-index/corpus-index.ts';

export interface Agreement {
  /** Mean part of the nearest by one space that the other finds too; null where nothing was asked. */
  readonly overlap: number | null;
  readonly asked: number;
}

/**
 * How far two spaces agree on what is nearest: the mean of |A and B| / max(|A|, |B|) over the `k` nearest of each query,
 * by exact search.
 * @param queries one question as each of the spaces has it; `except` is left out of the answers
 */
export function measureAgreement(
  [one, other]: readonly [CorpusIndex, CorpusIndex],
  queries: Iterable<readonly [Float32Array, Float32Array, string?]>,
  k: number,
): Agreement {
  let sum = 0;
  let asked = 0;
  for (const [query, same, except] of queries) {
    const nearest = (index: CorpusIndex, vector: Float32Array) =>
      index
        .search(vector, except === undefined ? k : k + 1, { exact: true })
        .map(({ id }) => id)
        .filter((id) => id !== except)
        .slice(0, k);
    const [left, right] = [nearest(one, query), new Set(nearest(other, same))];
    const most = Math.max(left.length, right.size);
    if (most === 0) continue;
    sum += left.filter((id) => right.has(id)).length / most;
    asked++;
  }
  return { overlap: asked === 0 ? null : sum / asked, asked };
}
