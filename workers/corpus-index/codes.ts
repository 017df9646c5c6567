import { createKernel } from './kernel/kernel.ts';
import { withinReach } from './selection.ts';

/**
 * Directions in a byte a value, beside the vectors they stand for: a scan of them costs half of one of the vectors, and
 * what each may err by is known. It finds candidates among which the nearest certainly are; who asks ranks them exactly.
 */
export interface Codes {
  /** Labels that have a code. */
  readonly count: number;
  /** Appends the code of the next label: that of a vector of this norm (not zero), or of a label that nothing has. */
  push(vector: Float32Array | undefined, norm: number): void;
  /** The label is not found any more. */
  kill(label: number): void;
  /** Labels among which are the `wanted` nearest of the query, ties included, by cosine distance. */
  candidates(query: CodedQuery, wanted: number): number[];
}

/** A direction in 16 bits a value: `scale * values`, which is off by a vector of the length `error`. */
export interface CodedQuery {
  readonly values: Int16Array;
  readonly scale: number;
  readonly error: number;
}

const pageBytes = 65_536;
const codeMax = 127;
const queryCodeMax = 32_767;
const sumMax = 2 ** 31 - 1;
/** The kernel takes so many codes at a time, and so many values of each. */
const group = 4;
const run = 8;
const growth = 1.5;
/** More than float32 arithmetic makes of scores between -1 and 3, and double of distances. */
const roundingError = 2e-6;

/** @param direction of norm one */
export function codeQuery(direction: ArrayLike<number>): CodedQuery {
  // So that no sum of products leaves 32 bits.
  const most = Math.min(queryCodeMax, Math.floor(sumMax / (codeMax * direction.length)));
  const scale = Math.fround(greatest(direction) / most);
  const values = new Int16Array(direction.length);
  let squares = 0;
  for (let place = 0; place < direction.length; place++) {
    const value = direction[place] ?? 0;
    const code = Math.max(-most, Math.min(most, Math.round(value / scale)));
    values[place] = code;
    squares += (value - scale * code) ** 2;
  }
  return { values, scale, error: Math.sqrt(squares) };
}

function greatest(values: ArrayLike<number>): number {
  let most = 0;
  for (let place = 0; place < values.length; place++) most = Math.max(most, Math.abs(values[place] ?? 0));
  return most;
}

interface Columns {
  readonly capacity: number;
  readonly memory: WebAssembly.Memory;
  /** Where in the memory, in bytes. */
  readonly at: Readonly<Record<'lowest' | 'least' | 'factors' | 'offsets' | 'codes', number>>;
  readonly query: Int16Array;
  /** Of each label, after a scan: a distance that it is not below, but for the errors of query and rounding. */
  readonly lowest: Float32Array;
  /** Of each group the least of these. */
  readonly least: Float32Array;
  readonly factors: Float32Array;
  readonly offsets: Float32Array;
  readonly codes: Int8Array;
  /** Of each label: how long the difference between direction and code is. */
  readonly errors: Float32Array;
}

/** Codes of vectors of one dimension; none yet, and memory for `expected` of them. */
export function createCodes(dimension: number, expected: number): Codes {
  const width = Math.ceil(dimension / (2 * run)) * 2 * run;
  let columns = allot(width, expected);
  let kernel = createKernel(columns.memory);
  let count = 0;

  const grow = () => {
    const grown = allot(width, Math.ceil(columns.capacity * growth));
    for (const name of ['factors', 'offsets', 'codes', 'errors'] as const) grown[name].set(columns[name]);
    columns = grown;
    kernel = createKernel(grown.memory);
  };

  return {
    get count() {
      return count;
    },
    push: (vector, norm) => {
      if (count === columns.capacity) grow();
      const label = count++;
      if (vector === undefined) return;
      const { factors, offsets, codes, errors } = columns;
      const factor = Math.fround(greatest(vector) / norm / codeMax);
      let squares = 0;
      for (let place = 0; place < dimension; place++) {
        const value = (vector[place] ?? 0) / norm;
        const code = Math.max(-codeMax, Math.min(codeMax, Math.round(value / factor)));
        codes[placeOf(label, place, width)] = code;
        squares += (value - factor * code) ** 2;
      }
      factors[label] = factor;
      errors[label] = Math.sqrt(squares);
      offsets[label] = 1 - Math.sqrt(squares);
    },
    kill: (label) => {
      columns.offsets[label] = Number.POSITIVE_INFINITY;
    },
    candidates: ({ values, scale, error }, wanted) => {
      const { at, query, lowest, least, errors } = columns;
      query.set(values);
      const rounded = Math.ceil(count / group) * group;
      kernel.codes(0, at.codes, width, rounded, at.factors, at.offsets, scale, at.lowest, at.least);
      // |q . d - code of q . code of d| <= |q| |error of d| + |error of q| |code of d|, and |code of d| <= 2.
      return withinReach({ lowest, least, errors, count }, wanted, 2 * error + roundingError);
    },
  };
}

/** Where a value of a label lies among the codes: see the kernel. */
function placeOf(label: number, place: number, width: number): number {
  const inGroup = label % group;
  const inRun = place % run;
  return (label - inGroup) * width + (place - inRun) * group + inGroup * run + inRun;
}

function allot(width: number, wanted: number): Columns {
  const capacity = Math.ceil(Math.max(wanted, 1) / group) * group;
  const lowest = width * 2;
  const at = {
    lowest,
    factors: lowest + capacity * 4,
    offsets: lowest + capacity * 8,
    codes: lowest + capacity * 12,
    least: lowest + capacity * (12 + width),
  };
  const pages = Math.ceil((at.least + capacity) / pageBytes);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const { buffer } = memory;
  return {
    capacity,
    memory,
    at,
    query: new Int16Array(buffer, 0, width),
    lowest: new Float32Array(buffer, at.lowest, capacity),
    least: new Float32Array(buffer, at.least, capacity / group),
    factors: new Float32Array(buffer, at.factors, capacity),
    // Where there is no code there is no distance.
    offsets: new Float32Array(buffer, at.offsets, capacity).fill(Number.POSITIVE_INFINITY),
    codes: new Int8Array(buffer, at.codes, capacity * width),
    errors: new Float32Array(capacity),
  };
}
