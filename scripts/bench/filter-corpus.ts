import { createHash } from 'node:crypto';
import { type CorpusIndex, createCorpusIndex } from '../../workers/corpus-index/corpus-index.ts';
import { compileFilter, type MetadataFilter } from '../../workers/metadata-filter/metadata-filter.ts';
import { createVectorSource } from '../staffing/own-vectors.ts';
import { type WorkerMetadata, workers } from '../staffing/workers.ts';

export const filterCorpus = 'workers';
export const filterDimension = 384;
export const filterSpace = { model: 'bench', dimension: filterDimension, prefixScheme: 'none' as const };
const clusters = 1_000;

export interface FilterCorpus {
  readonly index: CorpusIndex;
  readonly metadata: readonly WorkerMetadata[];
  /** The vector of a row, 1 the first; rows behind the documents are queries. */
  readonly vectorOf: (row: number) => Float32Array;
}

/** Workers' metadata with vectors of their own: the two have nothing to do with each other. */
export function buildFilterCorpus(count: number, seed: number, note: (line: string) => void): FilterCorpus {
  const vectorOf = createVectorSource({ dimension: filterDimension, clusters, seed });
  const index = createCorpusIndex({ space: filterSpace, distance: 'cosine' });
  const metadata: WorkerMetadata[] = [];
  for (const { id, metadata: fields } of workers({ count, seed })) {
    metadata.push(fields);
    const row = metadata.length;
    const hash = createHash('sha256').update(id).digest('hex');
    const content = { version: row, value: { hash, vector: vectorOf(row) } };
    const outcome = index.apply({
      id,
      registers: { content, metadata: { version: row, json: JSON.stringify(fields) } },
    });
    if (outcome !== 'applied') throw new Error(`${id} was not taken: ${outcome}`);
    if (row % 10_000 === 0) note(`indexed ${row} documents`);
  }
  while (index.step());
  return { index, metadata, vectorOf };
}

export interface ShareFilter {
  /** The part of the documents that it should keep. */
  readonly wanted: number;
  readonly filter: MetadataFilter;
  /** The rows that it keeps, by the predicate alone: from 0. */
  readonly kept: readonly number[];
}

/** Filters as people write them (cities, a least reliability, a status), that keep about these parts of the documents. */
export function shareFilters(metadata: readonly WorkerMetadata[]): ShareFilter[] {
  const city = { city: citiesOf(metadata, 0.05) };
  const working = { ...city, status: 'active' };
  return [
    describe(0.5, atLeast(metadata, {}, 0.5), metadata),
    describe(0.05, city, metadata),
    describe(0.005, atLeast(metadata, city, 0.005), metadata),
    describe(0.000_5, atLeast(metadata, working, 0.000_5), metadata),
  ];
}

function describe(wanted: number, filter: MetadataFilter, metadata: readonly WorkerMetadata[]): ShareFilter {
  return { wanted, filter, kept: rowsOf(filter, metadata) };
}

function rowsOf(filter: MetadataFilter, metadata: readonly WorkerMetadata[]): number[] {
  const { admits } = compileFilter(filter);
  return [...metadata.keys()].filter((row) => admits(JSON.stringify(metadata[row])));
}

/** Cities, in the order of their names, that hold this part of the workers together. */
function citiesOf(metadata: readonly WorkerMetadata[], share: number): string[] {
  const counts = new Map<string, number>();
  for (const { city } of metadata) counts.set(city, (counts.get(city) ?? 0) + 1);
  const chosen: string[] = [];
  let sum = 0;
  for (const [city, count] of [...counts].sort(([one], [other]) => (one < other ? -1 : 1))) {
    if (sum + count / 2 > share * metadata.length) break;
    chosen.push(city);
    sum += count;
  }
  return chosen;
}

/** The filter with the least reliability that leaves about this part of all workers. */
function atLeast(metadata: readonly WorkerMetadata[], filter: MetadataFilter, share: number): MetadataFilter {
  const sorted = rowsOf(filter, metadata)
    .map((row) => metadata[row]?.reliability ?? 0)
    .sort((one, other) => other - one);
  const bound = sorted[Math.min(sorted.length - 1, Math.floor(share * metadata.length))] ?? 0;
  return { ...filter, reliability: { gte: bound } };
}
