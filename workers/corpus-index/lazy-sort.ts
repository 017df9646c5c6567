const smallRange = 256;

/**
 * The values in order, sorted as they are taken: a quicksort that puts off the parts which nobody has asked for yet. To
 * the first value takes about two passes, so that whoever goes through a hundred thousand can pause in between.
 */
export function* sortLazily(values: Uint32Array, compare: (one: number, other: number) => number): Generator<number> {
  const ranges: [number, number][] = [[0, values.length]];
  for (let range = ranges.pop(); range !== undefined; range = ranges.pop()) {
    const [from, to] = range;
    if (to - from <= smallRange) {
      yield* values.subarray(from, to).sort(compare);
      continue;
    }
    const [lower, upper] = partition(values, from, to, compare);
    ranges.push([upper, to], [lower, upper], [from, lower]);
  }
}

/** Parts a range into less, equal and greater than its middle value; returns where equal and greater begin. */
function partition(
  values: Uint32Array,
  from: number,
  to: number,
  compare: (one: number, other: number) => number,
): [number, number] {
  const at = (place: number) => values[place] ?? 0;
  const candidates = [at(from), at((from + to) >> 1), at(to - 1)].sort(compare);
  const pivot = candidates[1] ?? 0;
  let [lower, place, upper] = [from, from, to];
  while (place < upper) {
    const value = at(place);
    const order = compare(value, pivot);
    if (order === 0) place++;
    else {
      const other = order < 0 ? lower++ : --upper;
      values[place] = at(other);
      values[other] = value;
      if (order < 0) place++;
    }
  }
  return [lower, upper];
}
