import { createHash } from 'node:crypto';

/** Rows that one table takes: some 28 bytes of memory each, doubled while it grows. */
export const digestTableRowsMax = 8 * 1024 * 1024;

const wordsPerKey = 4;
const rowsAtFirst = 1_024;
const slotsPerRow = 2;

/** More rows than memory was meant for. */
export class DigestTableFullError extends Error {
  constructor() {
    super(`there are more than ${digestTableRowsMax} rows of a kind`);
    this.name = 'DigestTableFullError';
  }
}

/**
 * Keys, each with a number that counts from 0 in the order in which they came. Only 128 bits of a key's SHA-256 are kept,
 * in typed arrays: a million keys cost some 30 MB, whatever their length, and nothing that is collected later. Two keys are
 * taken for one with a chance of 2^-128 for each pair.
 */
export interface DigestTable {
  /** The number of a key, and whether it is new. @throws DigestTableFullError */
  put(key: string): { readonly index: number; readonly fresh: boolean };
  /** Undefined where it was never put. */
  get(key: string): number | undefined;
  readonly size: () => number;
}

export function createDigestTable(): DigestTable {
  let words = new Uint32Array(rowsAtFirst * wordsPerKey);
  // 0 is free; else the number of the row and 1.
  let slots = new Int32Array(rowsAtFirst * slotsPerRow);
  let size = 0;

  const holds = (index: number, key: Uint32Array) => key.every((word, at) => words[index * wordsPerKey + at] === word);
  /** The slot that holds a key, or the free one in which it belongs. */
  const slotOf = (key: Uint32Array) => {
    const mask = slots.length - 1;
    for (let slot = (key[0] ?? 0) & mask; ; slot = (slot + 1) & mask) {
      const held = slots[slot] ?? 0;
      if (held === 0 || holds(held - 1, key)) return slot;
    }
  };
  const grow = () => {
    if (size >= digestTableRowsMax) throw new DigestTableFullError();
    const larger = new Uint32Array(words.length * 2);
    larger.set(words);
    words = larger;
    slots = new Int32Array(slots.length * 2);
    for (let index = 0; index < size; index++)
      slots[slotOf(words.subarray(index * wordsPerKey, (index + 1) * wordsPerKey))] = index + 1;
  };

  return {
    put: (key) => {
      const digest = digestOf(key);
      const slot = slotOf(digest);
      const held = slots[slot] ?? 0;
      if (held !== 0) return { index: held - 1, fresh: false };
      const index = size++;
      words.set(digest, index * wordsPerKey);
      slots[slot] = index + 1;
      if (size * wordsPerKey >= words.length) grow();
      return { index, fresh: true };
    },
    get: (key) => {
      const held = slots[slotOf(digestOf(key))] ?? 0;
      return held === 0 ? undefined : held - 1;
    },
    size: () => size,
  };
}

function digestOf(key: string): Uint32Array {
  const digest = createHash('sha256').update(key, 'utf8').digest();
  return Uint32Array.from({ length: wordsPerKey }, (_, at) => digest.readUInt32LE(at * 4));
}

/** Numbers by rows, eight bytes each; a row that was never set has 0. */
export interface NumberColumn {
  get(row: number): number;
  set(row: number, value: number): void;
}

export function createNumberColumn(): NumberColumn {
  let values = new Float64Array(rowsAtFirst);
  return {
    get: (row) => values[row] ?? 0,
    set: (row, value) => {
      if (row >= values.length) {
        const larger = new Float64Array(Math.max(row + 1, values.length * 2));
        larger.set(values);
        values = larger;
      }
      values[row] = value;
    },
  };
}
