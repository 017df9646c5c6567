export interface KolmogorovSmirnov {
  /** The largest distance between the two empirical distributions, 0 to 1; null where a sample is empty. */
  readonly statistic: number | null;
  /** Asymptotic; small where the samples are not of one distribution. */
  readonly pValue: number | null;
  readonly sizes: readonly [number, number];
  readonly drifted: boolean;
}

export const significanceDefault = 0.05;
const seriesTermsMax = 100;

/**
 * The two-sample Kolmogorov-Smirnov test. The p-value is the asymptotic one with Stephens' correction for small samples
 * (Numerical Recipes, 14.3): Q((sqrt(n) + 0.12 + 0.11 / sqrt(n)) D) with n = n1 n2 / (n1 + n2).
 */
export function kolmogorovSmirnov(
  first: readonly number[],
  second: readonly number[],
  significance: number = significanceDefault,
): KolmogorovSmirnov {
  const sizes = [first.length, second.length] as const;
  if (first.length === 0 || second.length === 0) return { statistic: null, pValue: null, sizes, drifted: false };
  const statistic = largestGap(sorted(first), sorted(second));
  const effective = Math.sqrt((first.length * second.length) / (first.length + second.length));
  const pValue = tail((effective + 0.12 + 0.11 / effective) * statistic);
  return { statistic, pValue, sizes, drifted: pValue < significance };
}

function sorted(values: readonly number[]): Float64Array {
  if (values.some((value) => Number.isNaN(value))) throw new RangeError('NaN has no place in an order');
  return Float64Array.from(values).sort();
}

/** Both samples are walked at once; equal values are passed together, so that ties count once. */
function largestGap(first: Float64Array, second: Float64Array): number {
  let [i, j, gap] = [0, 0, 0];
  while (i < first.length && j < second.length) {
    const [a, b] = [first[i] ?? 0, second[j] ?? 0];
    const value = Math.min(a, b);
    while (i < first.length && first[i] === value) i++;
    while (j < second.length && second[j] === value) j++;
    gap = Math.max(gap, Math.abs(i / first.length - j / second.length));
  }
  return gap;
}

/** Kolmogorov's distribution, the upper tail: 2 sum (-1)^(k-1) exp(-2 k^2 x^2). */
function tail(x: number): number {
  // The series does not converge there, and the value is 1 to many digits.
  if (x < 0.2) return 1;
  let sum = 0;
  for (let k = 1; k <= seriesTermsMax; k++) {
    const term = Math.exp(-2 * k * k * x * x);
    sum += k % 2 === 1 ? term : -term;
    if (term < 1e-12) break;
  }
  return Math.min(1, Math.max(0, 2 * sum));
}
