import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  dominates,
  later,
  merge,
  outranks,
  placeOf,
  type Registers,
  type Spoken,
  silentRegisters,
} from './registers.ts';

/** A version decides its value, as the sequence of an event does. */
const registers: fc.Arbitrary<Registers<string>> = fc.record({
  content: fc.nat({ max: 5 }).map((version) => ({ version, value: version % 3 === 0 ? null : `text ${version}` })),
  metadata: fc.nat({ max: 5 }).map((version) => ({ version, json: version % 2 === 0 ? null : `{"n":${version}}` })),
});

const check = (one: unknown, other: unknown): void => {
  expect(one).toEqual(other);
};

describe('registers are a join semilattice', () => {
  it('commutative', () => {
    fc.assert(fc.property(registers, registers, (a, b) => check(merge(a, b), merge(b, a))));
  });

  it('associative', () => {
    fc.assert(
      fc.property(registers, registers, registers, (a, b, c) => check(merge(merge(a, b), c), merge(a, merge(b, c)))),
    );
  });

  it('idempotent', () => {
    fc.assert(fc.property(registers, (a) => check(merge(a, a), a)));
  });

  it('with silence at the bottom', () => {
    fc.assert(fc.property(registers, (a) => check(merge<string>(silentRegisters, a), a)));
  });

  it('ordered by dominates: the join dominates both, and changes nothing where one dominates', () => {
    fc.assert(
      fc.property(registers, registers, (a, b) => {
        expect(dominates(merge(a, b), a)).toBe(true);
        expect(dominates(merge(a, b), b)).toBe(true);
        expect(dominates(a, b)).toBe(
          a.content.version >= b.content.version && a.metadata.version >= b.metadata.version,
        );
        if (dominates(a, b)) expect(merge(a, b)).toEqual(a);
      }),
    );
  });

  it('each register on its own: metadata of a later event keeps the content of an earlier one', () => {
    const first: Registers<string> = { content: { version: 3, value: 'a' }, metadata: { version: 0, json: null } };
    const second: Registers<string> = { content: { version: 0, value: null }, metadata: { version: 4, json: '{}' } };
    expect(merge(first, second)).toEqual({ content: first.content, metadata: second.metadata });
    expect(dominates(first, second)).toBe(false);
  });
});

describe('what is said weakly', () => {
  const plain = fc.nat({ max: 8 }).map((version): Spoken => ({ version }));
  const weak = fc
    .record({ after: fc.nat({ max: 7 }), later: fc.integer({ min: 1, max: 4 }) })
    .map(({ after, later: by }): Spoken => ({ version: after + by, after }));
  const spoken = fc.oneof(plain, weak);

  it('stands in one total order with what is said plainly', () => {
    fc.assert(
      fc.property(spoken, spoken, spoken, (a, b, c) => {
        const same = a.version === b.version && a.after === b.after;
        expect([outranks(a, b), outranks(b, a)].filter(Boolean)).toHaveLength(same ? 0 : 1);
        if (outranks(a, b) && outranks(b, c)) expect(outranks(a, c)).toBe(true);
        check(later(later(a, b), c), later(a, later(b, c)));
        // The same order as one number.
        expect(placeOf(a) > placeOf(b)).toBe(outranks(a, b));
      }),
    );
  });

  it('is outranked by all that is said since what it stands behind, and outranks all before', () => {
    fc.assert(
      fc.property(weak, plain, (one, other) => {
        expect(outranks(other, one)).toBe(other.version > (one.after ?? 0));
      }),
    );
  });

  it('is not replaced by what is said weakly later in the same place', () => {
    expect(outranks({ version: 9, after: 4 }, { version: 7, after: 4 })).toBe(false);
    expect(later<Spoken>({ version: 9, after: 4 }, { version: 7, after: 4 })).toEqual({ version: 7, after: 4 });
  });
});
