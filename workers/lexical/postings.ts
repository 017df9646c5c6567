/**
 * Lists of (document number, frequency), one a term, in a pool of bytes. Numbers of a list only grow, so each is written
 * as its difference from the one before, in as few bytes as that takes: a posting is one byte or two. A list is a chain of
 * slices, each larger than the one before, so that a rare word costs a few bytes and a common one wastes little.
 */
export interface Postings {
  /** Lists so far; they are numbered from 0. */
  readonly terms: number;
  /** Bytes held. */
  readonly bytes: number;
  /** Opens one more list and tells its number. */
  addTerm(): number;
  /** Puts a posting at the end of a list. The number is larger than all that are in it; the frequency at least 1. */
  append(term: number, number: number, frequency: number): void;
  /**
   * Writes a list into two arrays, which have room for it, in the order of its numbers. Returns its length, which is not
   * more than the greatest number and one.
   */
  read(term: number, numbers: Int32Array, frequencies: Int32Array): number;
}

const chunkBits = 16;
const chunkBytes = 1 << chunkBits;
const chunkMask = chunkBytes - 1;
/** Sizes of the slices of a list, the last one repeated. Each ends in the address of the next. */
const sliceBytes = [12, 20, 40, 80, 160, 320, 640, 1_280, 2_560] as const;
const addressBytes = 4;
const continues = 0x80;
/** So that twice a difference fits 31 bits. */
const numberMax = 2 ** 30 - 2;

/** @throws RangeError beyond 4 GiB of postings */
export function createPostings(): Postings {
  const chunks: Uint8Array[] = [];
  let next = chunkBytes;
  let terms = 0;
  // By term.
  let first = new Uint32Array(1_024);
  let write = new Uint32Array(1_024);
  let last = new Int32Array(1_024);
  let level = new Uint8Array(1_024);
  let room = new Uint16Array(1_024);

  const allocate = (bytes: number): number => {
    if (next + bytes > chunkBytes) {
      if (chunks.length === 1 << (32 - chunkBits)) throw new RangeError('the lexical index is full: 4 GiB of postings');
      chunks.push(new Uint8Array(chunkBytes));
      next = 0;
    }
    const address = (chunks.length - 1) * chunkBytes + next;
    next += bytes;
    return address;
  };
  const openSlice = (term: number, atLevel: number): number => {
    const bytes = sliceBytes[atLevel] ?? 0;
    const address = allocate(bytes);
    level[term] = atLevel;
    room[term] = bytes - addressBytes;
    write[term] = address;
    return address;
  };
  const writeByte = (term: number, value: number): void => {
    if (room[term] === 0) {
      // Where the slice ends, the address of the next one goes.
      const end = write[term] ?? 0;
      const address = openSlice(term, Math.min((level[term] ?? 0) + 1, sliceBytes.length - 1));
      const chunk = chunks[end >>> chunkBits];
      const offset = end & chunkMask;
      for (let byte = 0; byte < addressBytes; byte++) if (chunk) chunk[offset + byte] = (address >>> (8 * byte)) & 0xff;
    }
    const address = write[term] ?? 0;
    const chunk = chunks[address >>> chunkBits];
    if (chunk) chunk[address & chunkMask] = value;
    write[term] = address + 1;
    room[term] = (room[term] ?? 0) - 1;
  };
  const writeNumber = (term: number, value: number): void => {
    let rest = value;
    while (rest >= continues) {
      writeByte(term, (rest & 0x7f) | continues);
      rest >>>= 7;
    }
    writeByte(term, rest);
  };
  const grow = () => {
    const size = terms * 2;
    first = grown(first, new Uint32Array(size));
    write = grown(write, new Uint32Array(size));
    last = grown(last, new Int32Array(size));
    level = grown(level, new Uint8Array(size));
    room = grown(room, new Uint16Array(size));
  };

  return {
    get terms() {
      return terms;
    },
    get bytes() {
      return chunks.length * chunkBytes + first.length * 15;
    },
    addTerm: () => {
      if (terms === first.length) grow();
      const term = terms++;
      first[term] = openSlice(term, 0);
      last[term] = -1;
      return term;
    },
    append: (term, number, frequency) => {
      if (number > numberMax) throw new RangeError('the lexical index is full: document numbers have run out');
      const difference = number - (last[term] ?? -1);
      if (!(difference > 0)) throw new RangeError(`posting ${number} does not lie behind the last one of its list`);
      last[term] = number;
      // Nearly every frequency is 1: one bit tells it, and others follow.
      writeNumber(term, difference * 2 + (frequency === 1 ? 0 : 1));
      if (frequency !== 1) writeNumber(term, frequency);
    },
    read: (term, numbers, frequencies) => {
      const end = write[term] ?? 0;
      let address = first[term] ?? 0;
      let chunk = chunks[address >>> chunkBits] ?? chunkOfNone;
      let atLevel = 0;
      let left = (sliceBytes[0] ?? 0) - addressBytes;
      let count = 0;
      let number = -1;
      let value = 0;
      let shift = 0;
      let frequencyFollows = false;
      while (address !== end) {
        if (left === 0) {
          address = addressAt(chunk, address & chunkMask);
          chunk = chunks[address >>> chunkBits] ?? chunkOfNone;
          atLevel = Math.min(atLevel + 1, sliceBytes.length - 1);
          left = (sliceBytes[atLevel] ?? 0) - addressBytes;
        }
        const byte = chunk[address & chunkMask] ?? 0;
        address++;
        left--;
        value |= (byte & 0x7f) << shift;
        if (byte >= continues) {
          shift += 7;
          continue;
        }
        if (frequencyFollows) {
          frequencies[count++] = value;
          frequencyFollows = false;
        } else {
          number += value >>> 1;
          numbers[count] = number;
          if ((value & 1) === 1) frequencyFollows = true;
          else frequencies[count++] = 1;
        }
        value = 0;
        shift = 0;
      }
      return count;
    },
  };
}

const chunkOfNone = new Uint8Array(0);

function addressAt(chunk: Uint8Array, offset: number): number {
  let address = 0;
  for (let byte = addressBytes - 1; byte >= 0; byte--) address = address * 256 + (chunk[offset + byte] ?? 0);
  return address;
}

function grown<Values extends Uint8Array | Uint16Array | Uint32Array | Int32Array>(from: Values, to: Values): Values {
  to.set(from);
  return to;
}
