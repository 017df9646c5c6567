import hnswlib from 'hnswlib-node';
import { failpoint } from '../../streams/failpoints.ts';
import type { Distance, IndexParameters } from './parameters.ts';

/**
 * hnswlib's graph over the vectors of an arena, by label. What bites there and is kept away here:
 * - It takes plain arrays only, and NaN, infinity and any label without a word: callers check before.
 * - A filter that throws aborts the process: none is ever handed in, results are filtered here.
 * - `markDelete` is not used. A new document whose surroundings are all marked finds no neighbour, and hnswlib then reads
 *   behind an empty list (a tight group of equal vectors, deleted, is enough). Dead labels stay, and results leave them out.
 * - It is of a fixed size: it grows in steps. `ef` is not saved.
 */
export interface Graph {
  /** Vectors in it, dead ones included. */
  readonly count: number;
  insert(label: number, vector: number[]): void;
  /** The labels nearest to the query, nearest first; fewer than `k` where the walk found no more. */
  search(query: number[], k: number, ef: number): number[];
  /** Writes the graph's file. It answers success even on a full disk: check the file. No insertion may happen meanwhile. */
  writeFile(path: string): Promise<void>;
  /** Frees the memory at once instead of when the object is collected. */
  dispose(): void;
}

const capacityFirst = 1_024;
const capacityGrowth = 1.5;
const hnswSpace = { cosine: 'cosine', euclidean: 'l2' } as const;

export function createGraph(distance: Distance, dimension: number, parameters: IndexParameters): Graph {
  const native = new hnswlib.HierarchicalNSW(hnswSpace[distance], dimension);
  const { m, efConstruction, graphSeed: randomSeed } = parameters;
  native.initIndex({ maxElements: capacityFirst, m, efConstruction, randomSeed });
  return wrap(native);
}

/** Reads a file that `inspectGraphFile` found sound, into an object of its own: a search during the read crashes. */
export async function readGraph(distance: Distance, dimension: number, path: string): Promise<Graph> {
  const native = new hnswlib.HierarchicalNSW(hnswSpace[distance], dimension);
  await native.readIndex(path);
  return wrap(native);
}

function wrap(native: InstanceType<typeof hnswlib.HierarchicalNSW>): Graph {
  let capacity = native.getMaxElements();
  let count = native.getCurrentCount();
  let currentEf = -1;
  return {
    get count() {
      return count;
    },
    insert: (label, vector) => {
      if (count === capacity) {
        capacity = Math.ceil(capacity * capacityGrowth);
        native.resizeIndex(capacity);
      }
      native.addPoint(vector, label);
      count++;
    },
    search: (query, k, ef) => {
      if (ef !== currentEf) native.setEf(ef);
      currentEf = ef;
      return native.searchKnn(query, Math.min(k, count)).neighbors;
    },
    writeFile: async (path) => {
      const written = native.writeIndex(path);
      failpoint('graph-writing');
      await written;
    },
    dispose: () => {
      native.initIndex(1);
      count = 0;
      capacity = 1;
    },
  };
}
