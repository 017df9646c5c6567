export const populationStabilityDefaults = { buckets: 10, epsilon: 1e-6 } as const;
export const populationStabilityThresholds = { minor: 0.1, major: 0.25 } as const;

export interface StabilityBucket {
  /** Lower edge included; upper edge excluded, but for the last bucket's. */
  readonly from: number;
  readonly to: number;
  /** Shares of all values, 0 to 1. */
  readonly baseline: number;
  readonly current: number;
  /** What this bucket adds to the index. */
  readonly contribution: number;
}

export interface PopulationStability {
  /** Null where one side holds nothing: there is no distribution to compare. */
  readonly index: number | null;
  readonly verdict: 'stable' | 'minor' | 'major' | 'not_comparable';
  readonly buckets: readonly StabilityBucket[];
}

/**
 * The population stability index, sum of (current - baseline) * ln(current / baseline) over buckets of equal width from
 * the smallest to the largest value of both; shares of 0 count as `epsilon`. Stable below 0.10, major from 0.25 (the
 * usual rule of thumb in credit scoring). Where all values are one, there is one bucket and nothing drifted.
 * @throws RangeError where a value is not finite
 */
export function populationStability(
  baseline: readonly number[],
  current: readonly number[],
  options: { readonly buckets?: number; readonly epsilon?: number } = {},
): PopulationStability {
  const { buckets, epsilon } = { ...populationStabilityDefaults, ...options };
  if (buckets < 1 || !Number.isInteger(buckets)) throw new RangeError(`${buckets} is no number of buckets`);
  if (baseline.length === 0 || current.length === 0) return { index: null, verdict: 'not_comparable', buckets: [] };
  const [least, most] = extent(baseline, current);
  const count = least === most ? 1 : buckets;
  const shares = [baseline, current].map((values) => sharesOf(values, least, most, count));
  const width = (most - least) / count;
  const rows = Array.from({ length: count }, (_, bucket): StabilityBucket => {
    const [before = 0, now = 0] = shares.map((side) => side[bucket] ?? 0);
    const [b, c] = [Math.max(before, epsilon), Math.max(now, epsilon)];
    const from = least + bucket * width;
    const to = bucket === count - 1 ? most : least + (bucket + 1) * width;
    return { from, to, baseline: before, current: now, contribution: (c - b) * Math.log(c / b) };
  });
  const index = rows.reduce((sum, { contribution }) => sum + contribution, 0);
  return { index, verdict: verdictOf(index), buckets: rows };
}

function verdictOf(index: number): 'stable' | 'minor' | 'major' {
  if (index < populationStabilityThresholds.minor) return 'stable';
  return index < populationStabilityThresholds.major ? 'minor' : 'major';
}

function extent(...sides: readonly (readonly number[])[]): [number, number] {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const values of sides)
    for (const value of values) {
      if (!Number.isFinite(value)) throw new RangeError(`${value} can not be put into a bucket`);
      least = Math.min(least, value);
      most = Math.max(most, value);
    }
  return [least, most];
}

function sharesOf(values: readonly number[], least: number, most: number, count: number): number[] {
  const counts = new Array<number>(count).fill(0);
  for (const value of values) {
    const bucket = count === 1 ? 0 : Math.min(count - 1, Math.floor(((value - least) / (most - least)) * count));
    counts[bucket] = (counts[bucket] ?? 0) + 1;
  }
  return counts.map((number) => number / values.length);
}
