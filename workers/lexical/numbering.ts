/** The documents that postings name, by number. A text that is written anew gets a new number, and its old one dies. */
export interface Numbering {
  /** Numbers given so far. */
  readonly count: number;
  readonly dead: number;
  /** Gives the next number to the document that has this slot. */
  give(slot: number, length: number): number;
  kill(number: number): void;
  /** The slot of the document, -1 where the number is dead. */
  slotOf(number: number): number;
  /** Tokens of the document's text. */
  lengthOf(number: number): number;
}

export function createNumbering(): Numbering {
  let slots = new Int32Array(1_024);
  let lengths = new Uint32Array(1_024);
  let count = 0;
  let dead = 0;
  return {
    get count() {
      return count;
    },
    get dead() {
      return dead;
    },
    give: (slot, length) => {
      if (count === slots.length) {
        const moreSlots = new Int32Array(count * 2);
        const moreLengths = new Uint32Array(count * 2);
        moreSlots.set(slots);
        moreLengths.set(lengths);
        slots = moreSlots;
        lengths = moreLengths;
      }
      slots[count] = slot;
      lengths[count] = length;
      return count++;
    },
    kill: (number) => {
      slots[number] = -1;
      dead++;
    },
    slotOf: (number) => slots[number] ?? -1,
    lengthOf: (number) => lengths[number] ?? 0,
  };
}
