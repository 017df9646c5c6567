import { below, type Random } from '../random.ts';

/** How much better one method does than another on the same queries, with its 95 % interval. */
export interface PairedDifference {
  /** Mean of the first less mean of the second. */
  readonly difference: number;
  readonly low: number;
  readonly high: number;
  /** Queries on which only the one, and only the other, was right. */
  readonly wins: number;
  readonly losses: number;
}

/**
 * The paired percentile bootstrap (B. Efron, 1979): queries are drawn with replacement, with what both methods made of
 * them, so that what makes a query hard for both falls out.
 * @param one whether the first method was right, by query
 * @param other the same of the second, in the same order
 */
export function pairedBootstrap(
  one: readonly boolean[],
  other: readonly boolean[],
  options: { readonly resamples: number; readonly random: Random },
): PairedDifference {
  if (one.length !== other.length || one.length === 0)
    throw new RangeError('a paired difference needs two series of one length that are not empty');
  const { resamples, random } = options;
  const differences = Int8Array.from(one, (right, query) => Number(right) - Number(other[query]));
  const count = differences.length;
  const means = new Float64Array(resamples);
  for (let resample = 0; resample < resamples; resample++) {
    let sum = 0;
    for (let drawn = 0; drawn < count; drawn++) sum += differences[below(random, count)] ?? 0;
    means[resample] = sum / count;
  }
  means.sort();
  const at = (share: number) => means[Math.min(resamples - 1, Math.floor(share * resamples))] ?? 0;
  const wins = differences.filter((difference) => difference > 0).length;
  const losses = differences.filter((difference) => difference < 0).length;
  return { difference: (wins - losses) / count, low: at(0.025), high: at(0.975), wins, losses };
}
