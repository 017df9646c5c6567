import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dominates, merge, type Registers, silentRegisters } from './registers.ts';

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
