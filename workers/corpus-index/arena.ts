import { kernelBytes } from './kernel-bytes.ts';

/** Layout of the memory, in bytes: the query, then a block of scores, then the rows. */
const queryAt = 0;
const scoresAt = 32 * 1024;
const scoresMax = 8 * 1024;
const rowsAt = 64 * 1024;
const pageBytes = 64 * 1024;
/** Rows are padded to a multiple of so many values: the kernel's step. */
const rowValuesStep = 16;
/** The memory grows by a part of itself, at least by this much, so that growing is rare and little is unused. */
const growPagesMin = 16;
const growPart = 1 / 8;

const kernel = new WebAssembly.Module(new Uint8Array(kernelBytes));

/**
 * Vectors of one dimension, one behind the other, in a memory that grows without copying. A slot is a place in it; slots
 * are given out in order and never reused.
 */
export interface VectorArena {
  readonly dimension: number;
  /** Slots given out. */
  readonly count: () => number;
  /** Puts a vector at the end, its bytes as they are. */
  append(vector: Float32Array): number;
  /** A copy. */
  read(slot: number): Float32Array;
  /** Numbers for a library that takes arrays only. */
  toArray(slot: number): number[];
  norm(slot: number): number;
  /** Scores slots [from, to) against the query: `1 - cos`, in float32, for each slot in turn. */
  scan(query: ArrayLike<number>, from: number, to: number, onScore: (slot: number, distance: number) => void): void;
  /** `1 - cos` of the query and a slot, in double. */
  distance(query: ArrayLike<number>, queryNorm: number, slot: number): number;
  readonly bytes: () => number;
}

export function createVectorArena(dimension: number): VectorArena {
  const rowValues = Math.ceil(dimension / rowValuesStep) * rowValuesStep;
  const rowBytes = rowValues * 4;
  const memory = new WebAssembly.Memory({ initial: 1 + growPagesMin, maximum: 65_536 });
  const { exports } = new WebAssembly.Instance(kernel, { arena: { memory } });
  const dots = exports.dots as (query: number, rows: number, rowBytes: number, count: number, out: number) => void;
  let values = new Float32Array(memory.buffer);
  let norms = new Float64Array(256);
  let count = 0;

  const ensure = (slots: number) => {
    const missing = rowsAt + slots * rowBytes - memory.buffer.byteLength;
    if (missing > 0) {
      const pages = memory.buffer.byteLength / pageBytes;
      memory.grow(Math.max(Math.ceil(missing / pageBytes), growPagesMin, Math.floor(pages * growPart)));
      values = new Float32Array(memory.buffer);
    }
    if (slots > norms.length) {
      const grown = new Float64Array(Math.ceil(norms.length * 1.5));
      grown.set(norms);
      norms = grown;
    }
  };
  const at = (slot: number) => (rowsAt + slot * rowBytes) / 4;

  return {
    dimension,
    count: () => count,
    append: (vector) => {
      ensure(count + 1);
      values.set(vector, at(count));
      norms[count] = normOf(vector);
      return count++;
    },
    read: (slot) => values.slice(at(slot), at(slot) + dimension),
    toArray: (slot) => Array.from(values.subarray(at(slot), at(slot) + dimension)),
    norm: (slot) => norms[slot] ?? 0,
    scan: (query, from, to, onScore) => {
      if (from >= to) return;
      values.fill(0, queryAt / 4, queryAt / 4 + rowValues);
      values.set(query, queryAt / 4);
      const queryNorm = normOf(query);
      for (let block = from; block < to; block += scoresMax) {
        const blockEnd = Math.min(to, block + scoresMax);
        dots(queryAt, rowsAt + block * rowBytes, rowBytes, blockEnd - block, scoresAt);
        for (let slot = block; slot < blockEnd; slot++)
          onScore(slot, 1 - (values[scoresAt / 4 + slot - block] ?? 0) / (queryNorm * (norms[slot] ?? 1)));
      }
    },
    distance: (query, queryNorm, slot) => {
      const start = at(slot);
      let dot = 0;
      for (let place = 0; place < dimension; place++) dot += (query[place] ?? 0) * (values[start + place] ?? 0);
      return Math.max(0, 1 - dot / (queryNorm * (norms[slot] ?? 1)));
    },
    bytes: () => memory.buffer.byteLength,
  };
}

export function normOf(vector: ArrayLike<number>): number {
  let squares = 0;
  for (let place = 0; place < vector.length; place++) squares += (vector[place] ?? 0) ** 2;
  return Math.sqrt(squares);
}
