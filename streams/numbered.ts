/** What waits under a number until it is taken. */
export interface Numbered<Value> {
  readonly size: () => number;
  /** A number that nothing waits under, different from those given before (until 2^32 were). */
  next(): number;
  put(number: number, value: Value): void;
  get(number: number): Value | undefined;
  /** Takes it away; undefined where nothing waits under the number, or no longer. */
  take(number: number): Value | undefined;
  /** What waits now, in no order. Each may be taken while this is read. */
  values(): Value[];
}

interface Entry<Value> {
  readonly number: number;
  readonly value: Value;
}

const placesAtFirst = 256;

/**
 * Places that are used again, for what comes and goes by the thousand a second. Not a Map: one that is full of deleted
 * entries moves to a new table, and its old table points to the new one. Once an old table is of the old generation it
 * keeps its successor alive, and all that this held, and so on, until everything is collected: that costs a third more
 * processor time, for as long as the process lives.
 */
export function createNumbered<Value>(): Numbered<Value> {
  let places: (Entry<Value> | undefined)[] = emptyPlaces(placesAtFirst);
  let size = 0;
  let last = 0;
  const entryAt = (number: number) => {
    const entry = places[number & (places.length - 1)];
    return entry?.number === number ? entry : undefined;
  };
  const grow = () => {
    const grown: (Entry<Value> | undefined)[] = emptyPlaces(places.length * 2);
    // Numbers that had places of their own keep them: what tells them apart are their lower bits.
    for (const entry of places) if (entry !== undefined) grown[entry.number & (grown.length - 1)] = entry;
    places = grown;
  };
  return {
    size: () => size,
    next: () => {
      if (size * 2 >= places.length) grow();
      do last = (last + 1) >>> 0;
      while (places[last & (places.length - 1)] !== undefined);
      return last;
    },
    put: (number, value) => {
      const place = number & (places.length - 1);
      if (places[place] !== undefined) throw new RangeError(`${number} is not free: ask for the next number`);
      places[place] = { number, value };
      size++;
    },
    get: (number) => entryAt(number)?.value,
    take: (number) => {
      const entry = entryAt(number);
      if (entry === undefined) return undefined;
      places[number & (places.length - 1)] = undefined;
      size--;
      return entry.value;
    },
    values: () => places.flatMap((entry) => (entry === undefined ? [] : [entry.value])),
  };
}

function emptyPlaces<Value>(count: number): (Value | undefined)[] {
  return Array.from({ length: count }, () => undefined);
}
