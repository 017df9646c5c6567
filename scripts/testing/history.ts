import type { DocumentChangeInput } from '../../schemas/events/ingest.ts';
import { encodeVector } from '../../schemas/vector.ts';
import { below, chance, createRandom } from '../random.ts';
import { createVectorSource } from '../staffing/own-vectors.ts';
import { workerAt, workerDocument } from '../staffing/workers.ts';

export interface HistoryOptions {
  readonly seed: number;
  readonly documents: number;
  readonly dimension: number;
  readonly space: string;
}

/** A made-up history of a corpus whose documents bring their own vectors: first all of them, then changes without end. */
export interface History {
  /** Every document once. */
  readonly first: () => DocumentChangeInput[];
  /** So many changes: new content, new metadata, cleared metadata, deletions, and documents that come back. */
  readonly changes: (count: number) => DocumentChangeInput[];
}

const updatePart = 0.5;
const metadataPart = 0.2;
const deletePart = 0.2;

export function createHistory({ seed, documents, dimension, space }: HistoryOptions): History {
  const random = createRandom(seed);
  const vectorOf = createVectorSource({ dimension, clusters: 50, seed });
  let row = 0;
  const put = (place: number): DocumentChangeInput => {
    const { id, metadata } = workerDocument(workerAt(place));
    return { id, vector: encodeVector(vectorOf(row++)), space, metadata: { ...metadata } };
  };
  const change = (): DocumentChangeInput => {
    const place = 1 + below(random, documents);
    const id = `w-${place}`;
    if (chance(random, updatePart)) return put(place);
    if (chance(random, metadataPart / (1 - updatePart)))
      return { id, metadata: chance(random, 0.5) ? {} : { turn: row } };
    if (chance(random, deletePart / (1 - updatePart - metadataPart))) return { id, deleted: true };
    return { id, vector: encodeVector(vectorOf(row++)), space };
  };
  return {
    first: () => Array.from({ length: documents }, (_, index) => put(index + 1)),
    changes: (count) => Array.from({ length: count }, change),
  };
}
