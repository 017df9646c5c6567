import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Space } from '../../schemas/space.ts';
import { toUnitVectors } from './unit-vectors.ts';

const space: Space = { model: 'm', dimension: 3, prefixScheme: 'none' };

describe('toUnitVectors', () => {
  it('makes plain and typed arrays unit length and leaves its input alone', () => {
    const typed = Float32Array.of(0, 3, 4);
    const [first, second] = toUnitVectors([[2, 0, 0], typed], 2, space, 'test');
    expect(first).toEqual(Float32Array.of(1, 0, 0));
    expect(second).toEqual(Float32Array.of(0, 0.6, 0.8));
    expect(typed).toEqual(Float32Array.of(0, 3, 4));
  });

  it('reference 10.20: gives norm 1 and the same direction for any finite vector that is not zero', () => {
    const component = fc.double({ noNaN: true, noDefaultInfinity: true });
    const vectors = fc.tuple(component, component, component).filter((vector) => vector.some((value) => value !== 0));
    fc.assert(
      fc.property(vectors, (vector) => {
        const [unit = new Float32Array()] = toUnitVectors([vector], 1, space, 'test');
        expect(Math.hypot(...unit)).toBeCloseTo(1, 6);
        const largest = Math.max(...vector.map(Math.abs));
        const scaled = vector.map((value) => value / largest);
        unit.forEach((value, index) => {
          expect(value).toBeCloseTo((scaled[index] ?? 0) / Math.hypot(...scaled), 6);
        });
      }),
    );
  });

  it.each([
    ['no list', undefined, /no list of vectors/],
    ['an object', { 0: [1, 0, 0], length: 1 }, /no list of vectors/],
    ['too few', [], /1 texts were sent and 0 vectors/],
    [
      'too many',
      [
        [1, 0, 0],
        [1, 0, 0],
      ],
      /1 texts were sent and 2 vectors/,
    ],
    ['too short', [[1, 0]], /2 dimensions, m has 3/],
    ['too long', [[1, 0, 0, 0]], /4 dimensions, m has 3/],
    ['no vector', ['100'], /not a list of numbers/],
    ['null inside', [[1, null, 0]], /not a finite number at position 1/],
    ['a numeric string inside', [[1, 0, '0']], /not a finite number at position 2/],
    ['NaN', [Float32Array.of(Number.NaN, 0, 0)], /not a finite number at position 0/],
    ['infinity', [[1, Number.POSITIVE_INFINITY, 0]], /not a finite number at position 1/],
    ['a hole', [[1, undefined, 0]], /not a finite number/],
    ['zero', [[0, -0, 0]], /all zero/],
  ])('refuses %s as a bad reply', (_name, vectors, message) => {
    let thrown: unknown;
    try {
      toUnitVectors(vectors, 1, space, 'test');
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ reason: 'bad_reply', message: expect.stringMatching(message) });
  });
});
