/** The middle value, or the mean of the two in the middle. Throws a RangeError for an empty list. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.floor((sorted.length - 1) / 2)];
  if (upper === undefined || lower === undefined) throw new RangeError('nothing has no median');
  return (lower + upper) / 2;
}

/**
 * The median of the ratios of two series that were measured by turns: what slows a whole round down, a neighbour on the
 * same machine, falls out of the round's own ratio. Throws a RangeError where the series differ in length or are empty.
 */
export function medianRatio(numerators: readonly number[], denominators: readonly number[]): number {
  if (numerators.length !== denominators.length) throw new RangeError('a ratio needs two series of one length');
  return median(numerators.map((value, round) => value / (denominators[round] ?? Number.NaN)));
}

/** A list begun at another place in each round, so that no member is always the one that comes after the same other. */
export function rotated<Value>(values: readonly Value[], round: number): Value[] {
  const start = values.length === 0 ? 0 : round % values.length;
  return [...values.slice(start), ...values.slice(0, start)];
}
