import fc from 'fast-check';
import { expect, it } from 'vitest';
import { compareIds } from './id-order.ts';

it('compares as UTF-8 bytes do', () => {
  const texts = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 6 }),
    fc.string({ unit: fc.constantFrom('a', '\ue000', '\uffff', '\u{10000}', '\u{10ffff}', 'é'), maxLength: 4 }),
  );
  fc.assert(
    fc.property(texts, texts, (one, other) => {
      expect(Math.sign(compareIds(one, other))).toBe(Buffer.compare(Buffer.from(one), Buffer.from(other)));
    }),
  );
});
