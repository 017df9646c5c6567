import { type Arena, normOf } from './arena.ts';
import { type CodedQuery, codeQuery } from './codes.ts';
import type { Distance } from './parameters.ts';

/** A query made ready: in float32, as documents are, and as scans and graphs take it. */
export interface Query {
  readonly values: Float32Array;
  readonly norm: number;
  readonly distance: Distance;
  /** Of norm one under cosine. A plain array: hnswlib takes nothing else. */
  readonly scanned: number[];
  /** As codes are scanned (cosine only), made when it is first asked for. */
  readonly coded: () => CodedQuery;
}

/**
 * @throws RangeError for a wrong dimension, a value that is not finite, or (under cosine) no direction: whoever asks has
 * checked that
 */
export function prepareQuery(asked: ArrayLike<number>, dimension: number, distance: Distance): Query {
  if (asked.length !== dimension) throw new RangeError(`the query has ${asked.length} values, not ${dimension}`);
  const values = Float32Array.from(asked);
  const norm = normOf(values);
  if (!Number.isFinite(norm)) throw new RangeError('the query holds a value that is not finite');
  if (distance === 'cosine' && norm === 0) throw new RangeError('the query is zero: it has no direction');
  const scanned = scaled(values, distance === 'cosine' ? 1 / norm : 1);
  let coded: CodedQuery | undefined;
  return {
    values,
    norm,
    distance,
    scanned,
    coded: () => {
      coded ??= codeQuery(scanned);
      return coded;
    },
  };
}

/** What was asked as a query: made ready now, unless whoever asks has done so before. @throws RangeError as `prepareQuery` */
export function readyQuery(asked: ArrayLike<number> | Query, dimension: number, distance: Distance): Query {
  if (!('scanned' in asked)) return prepareQuery(asked, dimension, distance);
  if (asked.values.length !== dimension || asked.distance !== distance)
    throw new RangeError(`the query was made ready for ${asked.values.length} values and ${asked.distance}`);
  return asked;
}

/** A plain array of the values times a factor. */
export function scaled(values: ArrayLike<number>, factor: number): number[] {
  const plain = new Array<number>(values.length);
  for (let place = 0; place < values.length; place++) plain[place] = (values[place] ?? 0) * factor;
  return plain;
}

/**
 * The distance that is told: in double arithmetic from the logged values, so that scan and graph give the same numbers.
 * Cosine: 1 - cos, at least 0. Euclidean: the root of the summed squares.
 */
export function exactDistance(distance: Distance, query: Query, arena: Arena, label: number): number {
  const { values } = query;
  if (distance === 'cosine') return Math.max(0, 1 - arena.exactDot(values, label) / (query.norm * arena.norm(label)));
  const vector = arena.view(label);
  let sum = 0;
  for (let place = 0; place < vector.length; place++) {
    const difference = (values[place] ?? 0) - (vector[place] ?? 0);
    sum += difference * difference;
  }
  return Math.sqrt(sum);
}

/**
 * A bound on how far a scan's float32 score may lie from the true one. Summing n products in float32 errs by at most
 * about n * 2^-24 of the summed magnitudes (here n is the longest chain of additions, dimension / 16, plus the reduction
 * and the roundings of query, product and score); doubled for safety. Relative to 1 under cosine, to the squared
 * distance under euclidean.
 */
export function scoreError(dimension: number): number {
  return 2 * (dimension / 8 + 16) * 2 ** -24;
}

/** Norms outside of these bounds can overflow or vanish in float32 arithmetic: such vectors are scored in double. */
export const scannableNormMin = 1e-15;
export const scannableNormMax = 1e15;

export function isScannable(norm: number): boolean {
  return norm >= scannableNormMin && norm <= scannableNormMax;
}
