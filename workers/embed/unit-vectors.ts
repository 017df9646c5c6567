import type { Space } from '../../schemas/space.ts';
import { EmbedderError } from './embedder.ts';

/**
 * The edge through which every vector enters: checks what a model answered and makes it unit length.
 *
 * `vectors` must be `count` arrays (plain or typed) of `space.dimension` finite numbers that are not all zero. Returns new
 * float32 vectors of Euclidean norm 1, normalised in double precision. Throws `bad_reply` where anything is
 * otherwise; `source` names who answered.
 */
export function toUnitVectors(vectors: unknown, count: number, space: Space, source: string): Float32Array[] {
  if (!Array.isArray(vectors)) throw badReply(source, 'the reply holds no list of vectors');
  if (vectors.length !== count) {
    throw badReply(source, `${count} texts were sent and ${vectors.length} vectors came back`);
  }
  return vectors.map((vector: unknown, index) => toUnitVector(vector, index, space, source));
}

function toUnitVector(vector: unknown, index: number, space: Space, source: string): Float32Array {
  if (!Array.isArray(vector) && !(vector instanceof Float32Array)) {
    throw badReply(source, `vector ${index} is not a list of numbers`);
  }
  const values: ArrayLike<unknown> = vector;
  if (values.length !== space.dimension) {
    throw badReply(source, `vector ${index} has ${values.length} dimensions, ${space.model} has ${space.dimension}`);
  }
  const largest = largestMagnitude(values, index, source);
  if (largest === 0) throw badReply(source, `vector ${index} is all zero and has no direction`);
  return scaleToUnit(values, largest);
}

function largestMagnitude(values: ArrayLike<unknown>, index: number, source: string): number {
  let largest = 0;
  for (let position = 0; position < values.length; position++) {
    const value = values[position];
    if (typeof value !== 'number' || !Number.isFinite(value)) {
      throw badReply(source, `vector ${index} holds a value that is not a finite number at position ${position}`);
    }
    largest = Math.max(largest, Math.abs(value));
  }
  return largest;
}

/** Divides by the largest magnitude first, so that squares neither overflow nor vanish. */
function scaleToUnit(values: ArrayLike<unknown>, largest: number): Float32Array {
  const scaled = new Float64Array(values.length);
  let sumOfSquares = 0;
  for (let position = 0; position < values.length; position++) {
    const value = Number(values[position]) / largest;
    scaled[position] = value;
    sumOfSquares += value * value;
  }
  const norm = Math.sqrt(sumOfSquares);
  // In place, in double precision; the narrowing to float32 is the last step.
  for (let position = 0; position < values.length; position++) scaled[position] = (scaled[position] ?? 0) / norm;
  return new Float32Array(scaled);
}

function badReply(source: string, what: string): EmbedderError {
  return new EmbedderError({
    kind: 'bad_reply',
    message:
      `${source} gave an answer that cannot be used: ${what}. None of it was kept. ` +
      'Check that the configured model and space are what that server runs.',
  });
}
