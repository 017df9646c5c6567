import { colourOf, fixed, frame, inner, size } from './frame.ts';

export interface Sample {
  readonly name: string;
  readonly values: readonly number[];
}

/** The empirical distributions of two samples as steps from 0 to 1; a sample without values is left out. */
export function distributionPlot(title: string, axis: string, samples: readonly [Sample, Sample]): string {
  const [least, most] = rangeOf(samples.flatMap(({ values }) => values));
  const span = most - least || 1;
  const x = (value: number) => size.left + ((value - least) / span) * inner.width;
  const y = (share: number) => size.top + (1 - share) * inner.height;
  const paths = samples.map(({ values }, at) => {
    const sorted = [...values].sort((left, right) => left - right);
    const steps = sorted.map((value, index) => `H${fixed(x(value))}V${fixed(y((index + 1) / sorted.length))}`);
    return `<path d="M${size.left} ${y(0)}${steps.join('')}H${size.left + inner.width}" fill="none" stroke="${colourOf(at)}" stroke-width="2"/>`;
  });
  const legend = samples.map(({ name }) => name);
  return frame({ title, axis, yTicks: ['0', '0.5', '1'], xTicks: ticksOf(least, most), legend, marks: paths });
}

/** Shares in buckets, two bars a bucket. */
export function bucketPlot(
  title: string,
  axis: string,
  names: readonly [string, string],
  buckets: readonly { readonly from: number; readonly to: number; readonly shares: readonly [number, number] }[],
): string {
  const [, most] = rangeOf([Number.EPSILON, ...buckets.flatMap(({ shares }) => shares)]);
  const width = inner.width / Math.max(buckets.length, 1);
  const bars = buckets.flatMap(({ shares }, bucket) =>
    shares.map((share, at) => {
      const height = (share / most) * inner.height;
      const left = size.left + bucket * width + width * (0.1 + 0.4 * at);
      return `<rect x="${fixed(left)}" y="${fixed(size.top + inner.height - height)}" width="${fixed(width * 0.4)}" height="${fixed(height)}" fill="${colourOf(at)}"/>`;
    }),
  );
  const yTicks = ['0', (most / 2).toFixed(2), most.toFixed(2)];
  const xTicks = ticksOf(buckets[0]?.from ?? 0, buckets.at(-1)?.to ?? 1);
  return frame({ title, axis, yTicks, xTicks, legend: names, marks: bars });
}

/** The least and the greatest: 0 and 1 where there is none. */
export function rangeOf(values: readonly number[]): [number, number] {
  if (values.length === 0) return [0, 1];
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  return [least, most];
}

export function ticksOf(least: number, most: number): string[] {
  return [least, (least + most) / 2, most].map((value) => value.toFixed(3));
}
