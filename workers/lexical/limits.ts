/**
 * BM25 (S. Robertson et al., TREC-3, 1994): how soon repetitions of a word stop counting, and how much length does. The
 * values are those that Lucene's benchmark collections came to (Anserini's defaults).
 */
export const bm25 = { k1: 0.9, b: 0.4 } as const;

/** When, and how fast, the postings of documents that are gone are taken out. */
export interface Upkeep {
  /** Begins when they are this part of all. */
  readonly deadFractionMax: number;
  /** Fewer than this are left alone. */
  readonly deadMin: number;
  /** Postings looked at in one step, about. */
  readonly postingsAStep: number;
}

/** A step takes a millisecond or so. */
export const defaultUpkeep: Upkeep = { deadFractionMax: 0.25, deadMin: 1_024, postingsAStep: 50_000 };
