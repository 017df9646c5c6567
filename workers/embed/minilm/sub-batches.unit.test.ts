import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toSubBatches } from './sub-batches.ts';

describe('toSubBatches', () => {
  it('puts texts of like length together', () => {
    const texts = [[1, 1, 1], [2], [3, 3, 3], [4]].map((tokens) => ({ tokens, truncated: false }));
    expect(toSubBatches(texts, 6)).toEqual([
      { tokens: Int32Array.of(2, 4), lengths: [1, 1], textIndices: [1, 3] },
      { tokens: Int32Array.of(1, 1, 1, 3, 3, 3), lengths: [3, 3], textIndices: [0, 2] },
    ]);
  });

  it('holds every text once with its own tokens, and no batch is beyond the limit', () => {
    const lengths = fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 80 });
    fc.assert(
      fc.property(lengths, fc.integer({ min: 1, max: 200 }), (sizes, tokensMax) => {
        const texts = sizes.map((size, index) => ({ tokens: Array<number>(size).fill(index), truncated: false }));
        const seen = new Map<number, number[]>();
        for (const batch of toSubBatches(texts, tokensMax)) {
          if (batch.lengths.length > 1) {
            expect(Math.max(...batch.lengths) * batch.lengths.length).toBeLessThanOrEqual(tokensMax);
          }
          let offset = 0;
          batch.textIndices.forEach((textIndex, row) => {
            const length = batch.lengths[row] ?? 0;
            expect(seen.has(textIndex)).toBe(false);
            seen.set(textIndex, [...batch.tokens.subarray(offset, offset + length)]);
            offset += length;
          });
          expect(offset).toBe(batch.tokens.length);
        }
        expect(sizes.map((_, index) => seen.get(index))).toEqual(texts.map((text) => text.tokens));
      }),
    );
  });
});
