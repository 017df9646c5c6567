import { createKernel } from './kernel/kernel.ts';

/** Vectors of one dimension in memory, in the order of their arrival. A vector's place in it is its *label*. */
export interface Arena {
  readonly count: number;
  /** Appends a copy. Undefined where the arena is full (4 GiB). */
  push(vector: ArrayLike<number>): number | undefined;
  /** Appends zeros up to `count` vectors; false where they do not fit. */
  extend(count: number): boolean;
  /** Overwrites the vector of a label. */
  write(label: number, vector: ArrayLike<number>): void;
  /** A view on the vector of a label, valid until the next push. */
  view(label: number): Float32Array;
  /** The euclidean norm of the vector of a label. */
  norm(label: number): number;
  /**
   * Scores the vectors of the labels `from` up to `to` against a query: dot products, or squared distances. Writes them
   * into `scores` from its beginning, in float32 arithmetic.
   */
  scan(kind: 'dots' | 'squares', query: ArrayLike<number>, from: number, to: number, scores: Float32Array): void;
  /** As `scan`, of a list of labels. */
  scanLabels(kind: 'dots' | 'squares', query: ArrayLike<number>, labels: Int32Array, scores: Float32Array): void;
  /** The dot product of a query and the vector of a label, in double. The query's values must not change afterwards. */
  exactDot(query: Float32Array, label: number): number;
  readonly bytes: number;
}

const pageBytes = 65_536;
const pagesMax = 65_536;
/** Vectors that are scored in one call of the kernel: their scores stay in the processor's first cache. */
const scanBlock = 4_096;
/** A memory grows by this part of itself. Pages that nothing was written to cost address space only. */
const growthFraction = 0.25;

export function createArena(dimension: number): Arena {
  const stride = Math.ceil(dimension / 4) * 16;
  const outputAt = stride;
  const exactQueryAt = outputAt + scanBlock * 4;
  const vectorsAt = exactQueryAt + stride * 2;
  const memory = new WebAssembly.Memory({ initial: Math.ceil(vectorsAt / pageBytes), maximum: pagesMax });
  const kernel = createKernel(memory);
  let floats = new Float32Array(memory.buffer);
  let doubles = new Float64Array(memory.buffer, exactQueryAt, stride / 4);
  let exactQuery: Float32Array | undefined;
  let norms = new Float64Array(0);
  let count = 0;

  const offset = (label: number) => (vectorsAt + label * stride) / 4;
  const reserve = (wanted: number): boolean => {
    const missing = Math.ceil((vectorsAt + wanted * stride) / pageBytes) - memory.buffer.byteLength / pageBytes;
    if (missing > 0) {
      const room = pagesMax - memory.buffer.byteLength / pageBytes;
      if (missing > room) return false;
      const generous = Math.ceil((memory.buffer.byteLength / pageBytes) * growthFraction);
      memory.grow(Math.min(room, Math.max(missing, generous)));
      floats = new Float32Array(memory.buffer);
      doubles = new Float64Array(memory.buffer, exactQueryAt, stride / 4);
    }
    if (wanted > norms.length) {
      const grown = new Float64Array(Math.max(wanted, Math.ceil(norms.length * (1 + growthFraction)) + 64));
      grown.set(norms);
      norms = grown;
    }
    return true;
  };
  const write = (label: number, vector: ArrayLike<number>) => {
    floats.set(vector, offset(label));
    norms[label] = normOf(vector);
  };

  return {
    get count() {
      return count;
    },
    get bytes() {
      return memory.buffer.byteLength + norms.byteLength;
    },
    push: (vector) => {
      if (!reserve(count + 1)) return undefined;
      write(count, vector);
      return count++;
    },
    extend: (wanted) => {
      if (!reserve(wanted)) return false;
      count = Math.max(count, wanted);
      return true;
    },
    write,
    view: (label) => new Float32Array(memory.buffer, offset(label) * 4, dimension),
    norm: (label) => norms[label] ?? 0,
    scan: (kind, query, from, to, scores) => {
      floats.fill(0, 0, stride / 4);
      floats.set(query, 0);
      for (let label = from; label < to; label += scanBlock) {
        const block = Math.min(scanBlock, to - label);
        kernel[kind](0, offset(label) * 4, stride, block, outputAt);
        scores.set(floats.subarray(outputAt / 4, outputAt / 4 + block), label - from);
      }
    },
    scanLabels: (kind, query, labels, scores) => {
      floats.fill(0, 0, stride / 4);
      floats.set(query, 0);
      const score = kernel[kind];
      for (let from = 0; from < labels.length; from += scanBlock) {
        const block = Math.min(scanBlock, labels.length - from);
        for (let at = 0; at < block; at++) score(0, offset(labels[from + at] ?? 0) * 4, stride, 1, outputAt + at * 4);
        scores.set(floats.subarray(outputAt / 4, outputAt / 4 + block), from);
      }
    },
    exactDot: (query, label) => {
      if (query !== exactQuery) {
        doubles.set(query);
        exactQuery = query;
      }
      return kernel.exactDot(exactQueryAt, offset(label) * 4, stride);
    },
  };
}

/** The euclidean norm, in double arithmetic. */
export function normOf(vector: ArrayLike<number>): number {
  let squares = 0;
  for (let place = 0; place < vector.length; place++) {
    const value = vector[place] ?? 0;
    squares += value * value;
  }
  return Math.sqrt(squares);
}
