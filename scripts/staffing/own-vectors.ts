import { endianness } from 'node:os';
import { below, createRandom, gaussian, type Random } from '../random.ts';

const vectorStreams = { centre: 4, row: 5 } as const;

export interface VectorMixture {
  readonly dimension: number;
  readonly clusters: number;
  readonly seed: number;
  /** Length of a vector's deviation from its unit-length cluster centre; 0.6 puts a cluster's members about 42 degrees apart. */
  readonly spread?: number;
}

export const spreadDefault = 0.6;

function normalize(vector: Float32Array): Float32Array {
  let squares = 0;
  for (const value of vector) squares += value * value;
  const scale = 1 / Math.sqrt(squares);
  return vector.map((value) => value * scale);
}

function gaussianVector(random: Random, dimension: number): Float32Array {
  return Float32Array.from({ length: dimension }, () => gaussian(random));
}

/**
 * Vectors for documents that bring their own: a mixture of clusters on the unit sphere, since isotropic noise has no
 * near neighbours and would tell nothing about an index. The vector of a row depends on the mixture and the row
 * alone. Rows past the corpus serve as queries. Throws a RangeError for a dimension or cluster count below 1.
 */
export function createVectorSource(mixture: VectorMixture): (row: number) => Float32Array {
  const { dimension, clusters, seed, spread = spreadDefault } = mixture;
  if (!(dimension >= 1) || !(clusters >= 1)) throw new RangeError('dimension and clusters must be at least 1');
  const centres = Array.from({ length: clusters }, (_, cluster) =>
    normalize(gaussianVector(createRandom(seed, vectorStreams.centre, cluster), dimension)),
  );
  const noiseScale = spread / Math.sqrt(dimension);
  return (row) => {
    const random = createRandom(seed, vectorStreams.row, row);
    const centre = centres[below(random, clusters)] ?? new Float32Array(dimension);
    return normalize(centre.map((value) => value + noiseScale * gaussian(random)));
  };
}

/** A vector as base64 of its little-endian float32 values, the form in which an event carries it. */
export function encodeVector(vector: Float32Array): string {
  const bytes = Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength);
  return (endianness() === 'LE' ? bytes : Buffer.from(bytes).swap32()).toString('base64');
}
