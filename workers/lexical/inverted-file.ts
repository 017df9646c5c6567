import type { Upkeep } from './limits.ts';
import { createNumbering, type Numbering } from './numbering.ts';
import { copySome, createLists, newNumber, type Renumbering, startRenumbering } from './renumbering.ts';

/**
 * The postings of all words, with the dead ones taken out a little at a time: living documents are numbered anew, and one
 * list after another is copied under the new numbers, while reads and writes go on.
 */
export interface InvertedFile {
  readonly numbering: Numbering;
  readonly words: number;
  readonly bytes: number;
  /** Puts a document in: how often each word is in it. Returns its number. */
  add(slot: number, length: number, frequencies: ReadonlyMap<string, number>): number;
  /** How many entries of the arrays `read` needs at most. */
  readonly room: number;
  /** Writes the living documents that have the word into two arrays, by their numbers. Returns how many there are. */
  read(word: string, numbers: Int32Array, frequencies: Int32Array): number;
  /** Does a little of what is to be done. Told of every slot that has another number from then on. */
  work(onRenumbered: (slot: number, number: number) => void): void;
}

export function createInvertedFile({ deadFractionMax, deadMin, postingsAStep }: Upkeep): InvertedFile {
  let numbering = createNumbering();
  let lists = createLists();
  let running: Renumbering | undefined;

  const append = (word: string, number: number, frequency: number): void => {
    const waiting = running?.from.words.get(word);
    if (running !== undefined && waiting !== undefined) {
      running.from.postings.append(waiting, number + running.shift, frequency);
      return;
    }
    let list = lists.words.get(word);
    if (list === undefined) {
      list = lists.postings.addTerm();
      lists.words.set(word, list);
    }
    lists.postings.append(list, number, frequency);
  };
  const readSome = (word: string, numbers: Int32Array, frequencies: Int32Array): number => {
    const waiting = running?.from.words.get(word);
    if (running !== undefined && waiting !== undefined)
      return running.from.postings.read(waiting, numbers, frequencies);
    const list = lists.words.get(word);
    return list === undefined ? 0 : lists.postings.read(list, numbers, frequencies);
  };

  return {
    get numbering() {
      return numbering;
    },
    get words() {
      return lists.words.size + (running?.from.words.size ?? 0);
    },
    get bytes() {
      return lists.postings.bytes + (running?.from.postings.bytes ?? 0);
    },
    add: (slot, length, frequencies) => {
      const number = numbering.give(slot, length);
      for (const [word, frequency] of frequencies) append(word, number, frequency);
      return number;
    },
    get room() {
      return numbering.count + (running?.shift ?? 0);
    },
    read: (word, numbers, frequencies) => {
      const translating = running?.from.words.has(word) === true ? running : undefined;
      const count = readSome(word, numbers, frequencies);
      let living = 0;
      for (let place = 0; place < count; place++) {
        const written = numbers[place] ?? 0;
        const number = translating === undefined ? written : newNumber(translating, written);
        if (number < 0 || numbering.slotOf(number) < 0) continue;
        numbers[living] = number;
        frequencies[living] = frequencies[place] ?? 1;
        living++;
      }
      return living;
    },
    work: (onRenumbered) => {
      const { dead, count } = numbering;
      if (running === undefined && dead >= deadMin && dead >= deadFractionMax * count) {
        running = startRenumbering(lists, numbering, onRenumbered);
        numbering = running.numbering;
        lists = running.to;
      }
      if (running !== undefined && !copySome(running, postingsAStep)) running = undefined;
    },
  };
}
