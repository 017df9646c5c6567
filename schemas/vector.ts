import { z } from 'zod';
import { dimensionMax } from './space.ts';

/** Why a vector can not be searched, or `undefined` where it can. Codes are those of the rejection catalogue. */
export type VectorFault = 'vector_empty' | 'vector_not_finite' | 'vector_zero_norm' | 'vector_dimension';

/**
 * Checks one vector before it comes near an index: NaN and infinity poison a graph, a zero vector has no direction.
 * @param dimension the dimension of the space it is meant for
 */
export function vectorFault(vector: Float32Array, dimension: number): VectorFault | undefined {
  if (vector.length === 0) return 'vector_empty';
  if (vector.length !== dimension) return 'vector_dimension';
  let squares = 0;
  for (const value of vector) {
    if (!Number.isFinite(value)) return 'vector_not_finite';
    squares += value * value;
  }
  return squares > 0 ? undefined : 'vector_zero_norm';
}

/** What to tell a person of a fault. */
export function vectorFaultMessage(fault: VectorFault, vector: Float32Array, dimension: number): string {
  switch (fault) {
    case 'vector_empty':
      return 'the vector has no values';
    case 'vector_dimension':
      return `the vector has ${vector.length} values where its space has ${dimension}`;
    case 'vector_not_finite':
      return 'the vector holds NaN, infinity or a value beyond float32';
    case 'vector_zero_norm':
      return 'the vector is zero: it has no direction to search by';
  }
}

/** Little-endian float32 bytes as base64: the written form of a vector in every event. */
export function encodeVector(vector: Float32Array): string {
  return Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString('base64');
}

/** Reads base64 of little-endian float32. `undefined` where it is not base64 or not a whole number of floats. */
export function decodeVector(text: string): Float32Array | undefined {
  // Node.js reads the alphabet of URLs as well.
  if (text.length % 4 !== 0 || text.includes('-') || text.includes('_')) return undefined;
  const length = Buffer.byteLength(text, 'base64');
  if (length % 4 !== 0) return undefined;
  // Into a buffer of its own: a pooled Buffer may lie at an offset that Float32Array refuses.
  const bytes = new Uint8Array(length);
  // Characters of no alphabet are passed over: then there are fewer bytes than the text has room for. A pattern would cost
  // three times as much as reading it.
  if (Buffer.from(bytes.buffer).write(text, 'base64') !== length) return undefined;
  return new Float32Array(bytes.buffer);
}

const wireLengthMax = Math.ceil((dimensionMax * 4) / 3) * 4;

/** A vector as a producer may write it: an array of numbers or base64 of little-endian float32. */
export const wireVectorSchema = z
  .union([z.array(z.number()).min(1).max(dimensionMax), z.string().min(4).max(wireLengthMax)], {
    error: `must be an array of 1 to ${dimensionMax} numbers, or base64 of little-endian float32`,
  })
  .transform((value, context) => {
    const vector = typeof value === 'string' ? decodeVector(value) : Float32Array.from(value);
    if (vector !== undefined) return vector;
    context.addIssue({ code: 'custom', message: 'is not base64 of a whole number of little-endian float32 values' });
    return z.NEVER;
  });

/** A vector inside an event of this system. */
export const storedVectorSchema = z.string().min(4).max(wireLengthMax);
