/** How what a vector search and a lexical search found becomes one order. */
export interface FusionParameters {
  /**
   * `scores`: a weighted mean of the two distances. `ranks`: reciprocal rank fusion (G. Cormack, C. Clarke, S. Büttcher,
   * 2009), which looks at places alone.
   */
  readonly method: 'scores' | 'ranks';
  /** At least 0, not both 0; only their ratio matters. */
  readonly vectorWeight: number;
  readonly lexicalWeight: number;
  /** The constant of reciprocal rank fusion: the larger, the less the first places stand out. */
  readonly rankConstant: number;
}

/** One document as both searches see it. */
export interface Evidence {
  /** The distance of its vector from the query's. */
  readonly distance: number;
  /** 0 to 1: what it scores of the most that a document could. */
  readonly lexicalScore: number;
}

/** Places counted from 1; null where the search did not bring it. */
export interface Ranks {
  readonly vector: number | null;
  readonly lexical: number | null;
}

export type Fused<Candidate> = Candidate & {
  readonly ranks: Ranks;
  /** What the order goes by, ascending: 0 is the best there can be. */
  readonly order: number;
};

/**
 * The places and the order of candidates that either search brought.
 *
 * - `scores`: `order = (v * distance + l * (1 - lexical score)) / (v + l)` with the weights v and l. Both are known of every
 *   candidate, whichever search brought it.
 * - `ranks`: `order = 1 - (k + 1) / (v + l) * (v / (k + vector rank) + l / (k + lexical rank))`; a search that did not bring
 *   the candidate adds nothing. First in both is 0.
 *
 * @param found which of the searches brought it
 */
export function fuse<Candidate extends Evidence>(
  candidates: readonly Candidate[],
  found: (candidate: Candidate) => { readonly vector: boolean; readonly lexical: boolean },
  parameters: FusionParameters,
): Fused<Candidate>[] {
  const vectorRanks = ranksOf(
    candidates.filter((one) => found(one).vector),
    (one, other) => one.distance - other.distance,
  );
  const lexicalRanks = ranksOf(
    candidates.filter((one) => found(one).lexical),
    (one, other) => other.lexicalScore - one.lexicalScore,
  );
  return candidates.map((candidate) => {
    const ranks = { vector: vectorRanks.get(candidate) ?? null, lexical: lexicalRanks.get(candidate) ?? null };
    return { ...candidate, ranks, order: orderOf(candidate, ranks, parameters) };
  });
}

/** Equal ones keep the order in which they were given. */
function ranksOf<Candidate>(
  candidates: readonly Candidate[],
  compare: (one: Candidate, other: Candidate) => number,
): Map<Candidate, number> {
  return new Map([...candidates].sort(compare).map((candidate, at) => [candidate, at + 1]));
}

function orderOf(
  { distance, lexicalScore }: Evidence,
  ranks: Ranks,
  { method, vectorWeight, lexicalWeight, rankConstant }: FusionParameters,
): number {
  const weights = vectorWeight + lexicalWeight;
  if (method === 'scores') return (vectorWeight * distance + lexicalWeight * (1 - lexicalScore)) / weights;
  const part = (weight: number, rank: number | null) => (rank === null ? 0 : weight / (rankConstant + rank));
  const sum = part(vectorWeight, ranks.vector) + part(lexicalWeight, ranks.lexical);
  return Math.max(0, 1 - ((rankConstant + 1) / weights) * sum);
}
