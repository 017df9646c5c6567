import { describe, expect, it } from 'vitest';
import { createRandom } from '../random.ts';
import { pairedBootstrap } from './bootstrap.ts';

const repeat = (count: number, right: boolean) => Array.from({ length: count }, () => right);
const options = () => ({ resamples: 2_000, random: createRandom(1, 1) });

describe('the paired bootstrap', () => {
  it('finds the interval that theory gives', () => {
    // 60 wins, 20 losses and 920 draws of 1,000: deviation of the mean sqrt((80 - 1.6) / 1000) / sqrt(1000).
    const one = [...repeat(60, true), ...repeat(20, false), ...repeat(920, true)];
    const other = [...repeat(60, false), ...repeat(20, true), ...repeat(920, true)];
    const { difference, low, high, wins, losses } = pairedBootstrap(one, other, options());
    const half = 1.96 * Math.sqrt(0.0784 / 1_000);
    expect([difference, wins, losses]).toEqual([0.04, 60, 20]);
    expect(low).toBeCloseTo(0.04 - half, 2);
    expect(high).toBeCloseTo(0.04 + half, 2);
    expect(low).toBeLessThan(difference);
    expect(high).toBeGreaterThan(difference);
  });

  it('finds nothing where both are right about the same', () => {
    const both = [...repeat(30, true), ...repeat(70, false)];
    expect(pairedBootstrap(both, both, options())).toEqual({ difference: 0, low: 0, high: 0, wins: 0, losses: 0 });
  });

  it('holds zero inside where wins and losses are even', () => {
    const one = [...repeat(50, true), ...repeat(50, false)];
    const other = [...repeat(50, false), ...repeat(50, true)];
    const { low, high } = pairedBootstrap(one, other, options());
    expect(low).toBeLessThan(0);
    expect(high).toBeGreaterThan(0);
  });

  it('refuses series that are not pairs', () => {
    expect(() => pairedBootstrap([true], [], options())).toThrow(RangeError);
    expect(() => pairedBootstrap([], [], options())).toThrow(RangeError);
  });
});
