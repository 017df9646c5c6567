import hnswlib from 'hnswlib-node';

export interface GraphParameters {
  /** Links of a node per layer (HNSW's M). */
  readonly m: number;
  readonly efConstruction: number;
  /** Candidates kept while searching: more finds more and takes longer. */
  readonly ef: number;
  readonly seed: number;
  /** Below so many living documents an exact scan is as fast. */
  readonly exactBelow: number;
  /** Compaction begins when so many slots, and this part of all, are dead. */
  readonly compactDeadMin: number;
  readonly compactDeadPart: number;
}

export const graphDefaults: GraphParameters = {
  m: 16,
  efConstruction: 200,
  ef: 48,
  seed: 42,
  exactBelow: 1_000,
  compactDeadMin: 256,
  compactDeadPart: 0.2,
};

export interface Graph {
  insert(vector: number[], slot: number): void;
  remove(slot: number): void;
  search(
    query: ArrayLike<number>,
    k: number,
    ef: number,
    accept: ((slot: number) => boolean) | undefined,
  ): { slot: number; distance: number }[];
}

const capacityFirst = 2_048;
const capacityGrowth = 1.25;

/** An HNSW graph of hnswlib, with its traps kept away: capacity, k, ef, and filters that throw. */
export function createGraph(dimension: number, parameters: GraphParameters): Graph {
  const { m, efConstruction, seed } = parameters;
  const native = new hnswlib.HierarchicalNSW('cosine', dimension);
  let capacity = capacityFirst;
  native.initIndex(capacity, m, efConstruction, seed);
  let count = 0;
  return {
    insert: (vector, slot) => {
      if (count === capacity) {
        capacity = Math.ceil(capacity * capacityGrowth);
        native.resizeIndex(capacity);
      }
      native.addPoint(vector, slot);
      count++;
    },
    remove: (slot) => native.markDelete(slot),
    search: (query, k, ef, accept) => {
      if (count === 0) return [];
      native.setEf(Math.max(ef, k));
      const safe = accept === undefined ? undefined : guarded(accept);
      const array = Array.isArray(query) ? query : Array.from(query);
      const { neighbors, distances } = native.searchKnn(array, Math.min(k, count), safe);
      return neighbors.map((slot, place) => ({ slot, distance: distances[place] ?? 0 }));
    },
  };
}

/** An exception inside native code ends the process: what fails is not found. */
function guarded(accept: (slot: number) => boolean): (slot: number) => boolean {
  return (slot) => {
    try {
      return accept(slot);
    } catch {
      return false;
    }
  };
}
