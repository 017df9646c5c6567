import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sortLazily } from './lazy-sort.ts';

describe('sorting as values are taken', () => {
  const shapes = {
    random: fc.uint32Array({ minLength: 0, maxLength: 3_000 }),
    'with many equal': fc.uint32Array({ max: 3, maxLength: 3_000 }),
    ascending: fc.nat({ max: 3_000 }).map((length) => Uint32Array.from({ length }, (_, place) => place)),
    descending: fc.nat({ max: 3_000 }).map((length) => Uint32Array.from({ length }, (_, place) => length - place)),
  };
  for (const [name, values] of Object.entries(shapes))
    it(`gives all of them in order: ${name}`, () => {
      fc.assert(
        fc.property(values, (given) => {
          const sorted = [...sortLazily(given.slice(), (one, other) => one - other)];
          expect(Uint32Array.from(sorted)).toEqual(given.slice().sort());
        }),
        { numRuns: 30 },
      );
    });

  it('compares few before the first', () => {
    let compared = 0;
    const values = Uint32Array.from({ length: 100_000 }, (_, place) => Math.imul(place, 2_654_435_761) >>> 0);
    const taken = sortLazily(values, (one, other) => {
      compared++;
      return one - other;
    });
    taken.next();
    expect(compared).toBeLessThan(600_000);
  });
});
