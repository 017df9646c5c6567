import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { applyBoost, boostFactor, formatDistance } from './boost.ts';

const anyNumber = fc.double();
const cosineDistance = fc.double({ min: 0, max: 2, noNaN: true });

describe('boost', () => {
  test('given 0.4449 and score 1, then the distance is 0.22245 and prints as 0.2224', () => {
    const boosted = applyBoost(0.4449, boostFactor(1));
    expect(boosted).toBe(0.22245);
    expect(formatDistance(boosted)).toBe('0.2224');
  });

  test('given 0.6566 and score 1, then the distance prints as 0.3283', () => {
    expect(formatDistance(applyBoost(0.6566, boostFactor(1)))).toBe('0.3283');
  });

  test.each([
    [0, 1],
    [0.25, 0.875],
    [0.5, 0.75],
    [1, 0.5],
  ])('score %d gives factor %d', (score, factor) => {
    expect(boostFactor(score)).toBe(factor);
  });

  test.each([
    [Number.NaN, 1],
    [-3, 1],
    [7, 0.5],
    [Number.POSITIVE_INFINITY, 0.5],
  ])('a score that recording would refuse (%d) stays within the bounds: factor %d', (score, factor) => {
    expect(boostFactor(score)).toBe(factor);
  });

  test('a distance below zero through rounding is not moved away', () => {
    expect(applyBoost(-1e-8, 0.5)).toBe(-1e-8);
  });

  test('property: a boost never raises a distance and takes away half at most', () => {
    fc.assert(
      fc.property(cosineDistance, anyNumber, (distance, score) => {
        const boosted = applyBoost(distance, boostFactor(score));
        expect(boosted).toBeLessThanOrEqual(distance);
        expect(boosted).toBeGreaterThanOrEqual(distance / 2);
      }),
    );
  });
});

describe('formatDistance', () => {
  test.each([
    [0, '0.0000'],
    [-1e-8, '0.0000'],
    [0.4449, '0.4449'],
    [0.22235, '0.2224'],
    [0.22245, '0.2224'],
    [0.222451, '0.2225'],
    [0.99995, '1.0000'],
    [1.5, '1.5000'],
  ])('%d prints as %s', (distance, text) => {
    expect(formatDistance(distance)).toBe(text);
  });

  test('property: what is printed lies within half of the last digit', () => {
    fc.assert(
      fc.property(cosineDistance, (distance) => {
        expect(Math.abs(Number(formatDistance(distance)) - distance)).toBeLessThanOrEqual(0.00005 + 1e-12);
      }),
    );
  });
});
