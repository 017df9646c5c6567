import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type FusionParameters, fuse } from './fuse.ts';

interface Found {
  readonly name: string;
  readonly distance: number;
  readonly lexicalScore: number;
  readonly by: 'vector' | 'lexical' | 'both';
}

const scores: FusionParameters = { method: 'scores', vectorWeight: 0.7, lexicalWeight: 0.3, rankConstant: 60 };
const ranks: FusionParameters = { ...scores, method: 'ranks', vectorWeight: 1, lexicalWeight: 1 };
const fuseFound = (found: readonly Found[], parameters: FusionParameters) =>
  fuse(found, ({ by }) => ({ vector: by !== 'lexical', lexical: by !== 'vector' }), parameters);

const candidates: Found[] = [
  { name: 'meaning', distance: 0.2, lexicalScore: 0, by: 'vector' },
  { name: 'words', distance: 0.6, lexicalScore: 0.9, by: 'lexical' },
  { name: 'both', distance: 0.3, lexicalScore: 0.5, by: 'both' },
];

describe('fusion by scores', () => {
  it('is the weighted mean of the distances', () => {
    const orders = Object.fromEntries(fuseFound(candidates, scores).map(({ name, order }) => [name, order]));
    expect(orders.meaning).toBeCloseTo(0.7 * 0.2 + 0.3, 12);
    expect(orders.words).toBeCloseTo(0.7 * 0.6 + 0.3 * 0.1, 12);
    expect(orders.both).toBeCloseTo(0.7 * 0.3 + 0.3 * 0.5, 12);
  });

  it('looks at the ratio of the weights alone, and at one search where the other has none', () => {
    const tenfold = { ...scores, vectorWeight: 7, lexicalWeight: 3 };
    expect(fuseFound(candidates, tenfold)[2]?.order).toBeCloseTo(fuseFound(candidates, scores)[2]?.order ?? 0, 12);
    const vectorsAlone = fuseFound(candidates, { ...scores, lexicalWeight: 0 });
    for (const { order, distance } of vectorsAlone) expect(order).toBeCloseTo(distance, 12);
  });
});

describe('fusion by ranks', () => {
  it('adds the reciprocals of the places, over the most that they could come to', () => {
    const fused = fuseFound(candidates, ranks);
    expect(fused.map(({ ranks: places }) => places)).toEqual([
      { vector: 1, lexical: null },
      { vector: null, lexical: 1 },
      { vector: 2, lexical: 2 },
    ]);
    const orders = fused.map(({ order }) => order);
    expect(orders[0]).toBeCloseTo(1 - (1 / 61) * (61 / 2), 12);
    expect(orders[1]).toBeCloseTo(orders[0] ?? 0, 12);
    expect(orders[2]).toBeCloseTo(1 - (2 / 62) * (61 / 2), 12);
  });
});

describe('any fusion', () => {
  const found = fc.record({
    name: fc.string(),
    distance: fc.double({ min: 0, max: 2, noNaN: true }),
    lexicalScore: fc.double({ min: 0, max: 1, noNaN: true }),
    by: fc.constantFrom('vector', 'lexical', 'both'),
  });
  it('never puts what both searches hold better behind, and begins at 0', () => {
    fc.assert(
      fc.property(fc.array(found), fc.constantFrom(scores, ranks), (all, parameters) => {
        const fused = fuseFound(all, parameters);
        expect(fused).toHaveLength(all.length);
        for (const one of fused) {
          expect(one.order).toBeGreaterThanOrEqual(0);
          for (const other of fused) {
            const better = one.distance < other.distance && one.lexicalScore > other.lexicalScore;
            if (better && one.by === 'both' && other.by === 'both') expect(one.order).toBeLessThanOrEqual(other.order);
          }
        }
      }),
    );
  });
});
