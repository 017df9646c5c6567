import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { median, medianRatio, rotated } from './statistics.ts';

describe('median', () => {
  it('takes the middle, or the mean of the middle two', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(median([7])).toBe(7);
  });

  it('refuses an empty list', () => {
    expect(() => median([])).toThrow(RangeError);
  });

  it('has as many values above as below, and leaves its input alone', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ noNaN: true, min: -1e9, max: 1e9 }), { minLength: 1 }), (values) => {
        const before = [...values];
        const middle = median(values);
        expect(values).toEqual(before);
        expect(values.filter((value) => value < middle).length).toBeLessThanOrEqual(values.length / 2);
        expect(values.filter((value) => value > middle).length).toBeLessThanOrEqual(values.length / 2);
      }),
    );
  });
});

describe('medianRatio', () => {
  it('compares within each round', () => {
    // The second round ran at half speed for both: its ratio is that of the others.
    expect(medianRatio([120, 60, 130], [100, 50, 100])).toBe(1.2);
  });

  it('is not moved by what slows both sides of a round', () => {
    const speed = fc.double({ min: 0.01, max: 100, noNaN: true });
    fc.assert(
      fc.property(fc.array(speed, { minLength: 1, maxLength: 9 }), (speeds) => {
        const ratio = medianRatio(
          speeds.map((value) => 3 * value),
          speeds.map((value) => 2 * value),
        );
        expect(ratio).toBeCloseTo(1.5, 9);
      }),
    );
  });

  it('refuses series of different length', () => {
    expect(() => medianRatio([1], [1, 2])).toThrow(RangeError);
  });
});

describe('rotated', () => {
  it('begins one further in each round, and comes around', () => {
    const orders = [0, 1, 2, 3].map((round) => rotated(['a', 'b', 'c'], round).join(''));
    expect(orders).toEqual(['abc', 'bca', 'cab', 'abc']);
    expect(rotated([], 3)).toEqual([]);
  });
});
