export type Distance = 'cosine' | 'euclidean';

export interface IndexParameters {
  /** Links of a document in the graph, per layer (HNSW's M). */
  readonly m: number;
  /** Candidates looked at while a document is inserted; more makes a better graph more slowly. */
  readonly efConstruction: number;
  /** Candidates kept while the graph is searched; more finds more and takes longer. */
  readonly ef: number;
  /** `ef` was asked for: it stays, whatever recall is measured. */
  readonly efFixed: boolean;
  /** Where more than this part of the graph would have to be asked for, a scan takes its place. */
  readonly graphPartMax: number;
  /**
   * What visiting a candidate in the graph costs, in vectors that are scanned in the same time: decides whether a filter's
   * documents are scanned. `bench:filter` measures both ways.
   */
  readonly scannedPerCandidate: number;
  /** Below so many living documents there is no graph: scanning the codes of all is as fast, and exact. */
  readonly exactBelow: number;
  /** The part of the vectors kept that may be dead before they are compacted away. */
  readonly deadFractionMax: number;
  /** Fewer dead vectors than this are left alone. */
  readonly deadMin: number;
  /** Seeds the layers of the graph. */
  readonly graphSeed: number;
}

export const defaultParameters: IndexParameters = {
  m: 16,
  efConstruction: 200,
  ef: 100,
  efFixed: false,
  graphPartMax: 0.25,
  scannedPerCandidate: 20,
  exactBelow: 16_384,
  deadFractionMax: 0.2,
  deadMin: 256,
  graphSeed: 100,
};
