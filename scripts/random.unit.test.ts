import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { below, createRandom, gaussian, pick, sample } from './random.ts';

const word = fc.integer({ min: 0, max: 2 ** 32 - 1 });

describe('createRandom', () => {
  it('gives the same numbers for the same seed, stream and row', () => {
    fc.assert(
      fc.property(word, word, word, (seed, stream, row) => {
        const first = createRandom(seed, stream, row);
        const second = createRandom(seed, stream, row);
        for (let draw = 0; draw < 20; draw++) expect(second.uint32()).toBe(first.uint32());
      }),
    );
  });

  it('gives other numbers when any of the three differs by one', () => {
    const draws = (seed: number, stream: number, row: number): string => {
      const random = createRandom(seed, stream, row);
      return Array.from({ length: 4 }, random.uint32).join();
    };
    const all = [draws(1, 1, 1), draws(2, 1, 1), draws(1, 2, 1), draws(1, 1, 2), draws(0, 0, 0)];
    expect(new Set(all).size).toBe(all.length);
  });

  it('is uniform enough: a chi-square over 64 cells stays below its 0.999 quantile', () => {
    const random = createRandom(7);
    const cells = new Uint32Array(64);
    for (let draw = 0; draw < 64_000; draw++) {
      const cell = below(random, 64);
      cells[cell] = (cells[cell] ?? 0) + 1;
    }
    const chiSquare = cells.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
    expect(chiSquare).toBeLessThan(103.5);
  });
});

describe('sample', () => {
  it('takes different places, as many as asked or as there are', () => {
    fc.assert(
      fc.property(word, fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 50 }), (seed, length, count) => {
        const list = Array.from({ length }, (_, place) => place);
        const taken = sample(createRandom(seed), list, count);
        expect(taken).toHaveLength(Math.min(length, count));
        expect(new Set(taken).size).toBe(taken.length);
        expect(taken.every((value) => list.includes(value))).toBe(true);
      }),
    );
  });

  it('leaves the list alone', () => {
    const list = Object.freeze([1, 2, 3]);
    expect(sample(createRandom(1), list, 3).toSorted()).toEqual([1, 2, 3]);
  });
});

it('picks from an empty list with an error', () => {
  expect(() => pick(createRandom(1), [])).toThrow(RangeError);
});

it('draws normal numbers with mean 0 and deviation 1', () => {
  const random = createRandom(3);
  const draws = Array.from({ length: 20_000 }, () => gaussian(random));
  const mean = draws.reduce((sum, value) => sum + value, 0) / draws.length;
  const variance = draws.reduce((sum, value) => sum + (value - mean) ** 2, 0) / draws.length;
  expect(Math.abs(mean)).toBeLessThan(0.03);
  expect(Math.abs(variance - 1)).toBeLessThan(0.05);
});
