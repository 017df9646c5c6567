import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createHistogram, histogramErrorMax } from './histogram.ts';

function filled(values: readonly number[]) {
  const histogram = createHistogram();
  for (const value of values) histogram.record(value);
  return histogram;
}

function exactPercentile(values: readonly number[], fraction: number): number {
  return values.toSorted((one, other) => one - other)[Math.ceil(fraction * values.length) - 1] ?? Number.NaN;
}

describe('percentile', () => {
  it('is the nearest-rank percentile within the stated error', () => {
    const milliseconds = fc.double({ min: 0.001, max: 100_000, noNaN: true });
    fc.assert(
      fc.property(
        fc.array(milliseconds, { minLength: 1, maxLength: 300 }),
        fc.constantFrom(0.01, 0.5, 0.9, 0.95, 0.99, 0.999, 1),
        (values, fraction) => {
          const exact = exactPercentile(values, fraction);
          const found = filled(values).percentile(fraction);
          expect(Math.abs(found / exact - 1)).toBeLessThanOrEqual(histogramErrorMax + 1e-9);
        },
      ),
    );
  });

  it('tells ranks apart: of 1 to 100 the 95th is 95 and the 99th 99', () => {
    const histogram = filled(Array.from({ length: 100 }, (_, at) => at + 1));
    expect(Math.round(histogram.percentile(0.5))).toBe(50);
    expect(Math.round(histogram.percentile(0.95))).toBe(95);
    expect(Math.round(histogram.percentile(0.99))).toBe(99);
    expect(histogram.percentile(1)).toBe(100);
  });

  it('never leaves the range of what was recorded', () => {
    const histogram = filled([7.3, 7.3, 7.3]);
    expect(histogram.percentile(0.5)).toBe(7.3);
    expect(histogram.percentile(1)).toBe(7.3);
  });
});

describe('summary', () => {
  it('has an exact count, mean and maximum', () => {
    expect(filled([1, 2, 3, 10]).summary()).toMatchObject({ count: 4, mean: 4, max: 10 });
  });

  it('is absent where nothing was recorded', () => {
    expect(createHistogram().summary()).toBeUndefined();
  });

  it('takes durations beyond its range into its last buckets', () => {
    expect(filled([0, 1e12]).summary()).toMatchObject({ count: 2, max: 1e12 });
    expect(filled([0, 0, 0]).summary()).toMatchObject({ p50: 0, p99: 0 });
  });
});
