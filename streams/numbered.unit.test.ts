import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createNumbered } from './numbered.ts';

describe('numbered', () => {
  it('gives back what was put under a number, once', () => {
    const numbered = createNumbered<string>();
    const number = numbered.next();
    numbered.put(number, 'first');
    expect(numbered.get(number)).toBe('first');
    expect(numbered.take(number)).toBe('first');
    expect(numbered.take(number)).toBeUndefined();
    expect(numbered.size()).toBe(0);
  });

  it('refuses a number that something waits under', () => {
    const numbered = createNumbered<string>();
    const number = numbered.next();
    numbered.put(number, 'first');
    expect(() => numbered.put(number, 'second')).toThrow(RangeError);
    expect(numbered.get(number)).toBe('first');
  });

  it('behaves as a Map whose keys are never used again, however much waits and however long some of it does', () => {
    const step = fc.oneof({ weight: 3, arbitrary: fc.constant('put') }, { weight: 2, arbitrary: fc.nat(2_000) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 1_500 }), (steps) => {
        const numbered = createNumbered<number>();
        const model = new Map<number, number>();
        const given: number[] = [];
        for (const [at, what] of steps.entries()) {
          if (what === 'put') {
            const number = numbered.next();
            expect(given).not.toContain(number);
            given.push(number);
            numbered.put(number, at);
            model.set(number, at);
          } else {
            const number = given[Number(what) % Math.max(1, given.length)] ?? 0;
            expect(numbered.take(number)).toBe(model.get(number));
            model.delete(number);
          }
        }
        expect(numbered.size()).toBe(model.size);
        expect(numbered.values().sort((one, other) => one - other)).toEqual([...model.values()]);
      }),
      { numRuns: 30 },
    );
  });
});
