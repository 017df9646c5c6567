const subBucketsPerOctave = 128;
const octaves = 32;
const microsPerMilli = 1000;

/** Half a bucket: how far a percentile may lie from the exact one, as a ratio (2^(1/256) - 1). */
export const histogramErrorMax = 2 ** (1 / (2 * subBucketsPerOctave)) - 1;

/** Durations in milliseconds. `max` is exact, `mean` too; percentiles within `histogramErrorMax`. */
export interface LatencySummary {
  readonly count: number;
  readonly mean: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** Counts of durations in logarithmic buckets: 32 KiB however many are recorded. */
export interface Histogram {
  /** Counts one duration. Below a microsecond counts as a microsecond, above 71 minutes into the last bucket. */
  readonly record: (milliseconds: number) => void;
  /** The nearest-rank percentile, `fraction` in (0, 1]; 0 where nothing was recorded. */
  readonly percentile: (fraction: number) => number;
  /** `undefined` where nothing was recorded. */
  readonly summary: () => LatencySummary | undefined;
}

function bucketOf(milliseconds: number): number {
  const octave = Math.log2(Math.max(1, milliseconds * microsPerMilli));
  return Math.min(octaves * subBucketsPerOctave - 1, Math.floor(octave * subBucketsPerOctave));
}

/** The geometric middle of a bucket, in milliseconds. */
function middleOf(bucket: number): number {
  return 2 ** ((bucket + 0.5) / subBucketsPerOctave) / microsPerMilli;
}

/**
 * A histogram with a bounded relative error, after G. Tene's HdrHistogram but with true logarithms for its
 * piecewise-linear buckets. A percentile is the middle of the bucket that holds the value of rank
 * ceil(fraction * count), kept between the smallest and largest value seen.
 */
export function createHistogram(): Histogram {
  const buckets = new Float64Array(octaves * subBucketsPerOctave);
  let count = 0;
  let sum = 0;
  let min = Number.POSITIVE_INFINITY;
  let max = 0;

  const record = (milliseconds: number): void => {
    const bucket = bucketOf(milliseconds);
    buckets[bucket] = (buckets[bucket] ?? 0) + 1;
    count += 1;
    sum += milliseconds;
    if (milliseconds < min) min = milliseconds;
    if (milliseconds > max) max = milliseconds;
  };

  const percentile = (fraction: number): number => {
    const rank = Math.max(1, Math.ceil(fraction * count));
    let seen = 0;
    for (const [bucket, held] of buckets.entries()) {
      seen += held;
      if (seen >= rank) return Math.min(max, Math.max(min, middleOf(bucket)));
    }
    return 0;
  };

  const summary = (): LatencySummary | undefined => {
    if (count === 0) return undefined;
    return { count, mean: sum / count, p50: percentile(0.5), p95: percentile(0.95), p99: percentile(0.99), max };
  };
  return { record, percentile, summary };
}
