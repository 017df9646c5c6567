/** A set of vectors of one dimension, by id. */
export interface Labelled {
  readonly id: string;
  readonly vector: ArrayLike<number>;
}

export interface Served {
  readonly query: ArrayLike<number>;
  /** What the index answered, nearest first. */
  readonly ids: readonly string[];
}

const tieDistance = 1e-6;

/** `1 - cos`, in double. */
export function cosineDistance(one: ArrayLike<number>, other: ArrayLike<number>): number {
  let dot = 0;
  let oneSquares = 0;
  let otherSquares = 0;
  for (let place = 0; place < one.length; place++) {
    const a = one[place] ?? 0;
    const b = other[place] ?? 0;
    dot += a * b;
    oneSquares += a * a;
    otherSquares += b * b;
  }
  return 1 - dot / Math.sqrt(oneSquares * otherSquares);
}

/**
 * Recall@k of answers against a scan of all vectors, made here and not by the index: of the k nearest the part that was
 * served. An answer as near as the k-th nearest counts (ties), each id once; one that is not among the vectors does not.
 */
export function recallOfAnswers(corpus: readonly Labelled[], answers: readonly Served[], k: number): number {
  let found = 0;
  let wanted = 0;
  for (const { query, ids } of answers) {
    const distances = new Map(corpus.map(({ id, vector }) => [id, cosineDistance(query, vector)]));
    const nearest = [...distances.values()].sort((one, other) => one - other).slice(0, k);
    const bound = (nearest.at(-1) ?? 0) + tieDistance;
    const served = [...new Set(ids.slice(0, k))].filter(
      (id) => (distances.get(id) ?? Number.POSITIVE_INFINITY) <= bound,
    );
    found += served.length;
    wanted += nearest.length;
  }
  return wanted === 0 ? 0 : found / wanted;
}
