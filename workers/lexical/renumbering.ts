import { createNumbering, type Numbering } from './numbering.ts';
import { createPostings, type Postings } from './postings.ts';

/** The lists of the words that are known. */
export interface Lists {
  readonly words: Map<string, number>;
  readonly postings: Postings;
}

export function createLists(): Lists {
  return { words: new Map(), postings: createPostings() };
}

/** Lists on their way to other numbers, one after the other. */
export interface Renumbering {
  /** Those that are not copied yet, under the old numbers. */
  readonly from: Lists;
  readonly to: Lists;
  /** The new numbers. */
  readonly numbering: Numbering;
  readonly pending: IterableIterator<[string, number]>;
  /** Old number to new, -1 for the dead. */
  readonly translated: Int32Array;
  /** What is added meanwhile has a number of its own in the old lists: the new one and this. */
  readonly shift: number;
}

/** Numbers the living documents anew, in the same order. */
export function startRenumbering(
  from: Lists,
  old: Numbering,
  onRenumbered: (slot: number, number: number) => void,
): Renumbering {
  const numbering = createNumbering();
  const translated = new Int32Array(old.count).fill(-1);
  for (let number = 0; number < translated.length; number++) {
    const slot = old.slotOf(number);
    if (slot < 0) continue;
    const given = numbering.give(slot, old.lengthOf(number));
    translated[number] = given;
    onRenumbered(slot, given);
  }
  const shift = translated.length - numbering.count;
  return { from, to: createLists(), numbering, pending: from.words.entries(), translated, shift };
}

/** The new number of one that stands in an old list; -1 where its document is gone. */
export function newNumber({ translated, shift, numbering }: Renumbering, old: number): number {
  const number = old < translated.length ? (translated[old] ?? -1) : old - shift;
  return number >= 0 && numbering.slotOf(number) >= 0 ? number : -1;
}

/** Copies lists until that many postings were looked at. False where all are copied. */
export function copySome(running: Renumbering, postings: number): boolean {
  const { from, to, pending } = running;
  const room = running.numbering.count + running.shift;
  const numbers = new Int32Array(room);
  const frequencies = new Int32Array(room);
  let looked = 0;
  while (looked < postings) {
    const { value, done } = pending.next();
    if (done === true) return false;
    const [word, list] = value;
    let copy = -1;
    const count = from.postings.read(list, numbers, frequencies);
    for (let place = 0; place < count; place++) {
      const number = newNumber(running, numbers[place] ?? 0);
      if (number < 0) continue;
      if (copy < 0) copy = to.postings.addTerm();
      to.postings.append(copy, number, frequencies[place] ?? 1);
    }
    looked += count + 1;
    // A word of no living document is forgotten.
    from.words.delete(word);
    if (copy >= 0) to.words.set(word, copy);
  }
  return true;
}
