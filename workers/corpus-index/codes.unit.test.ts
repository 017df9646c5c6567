import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { codeQuery, createCodes } from './codes.ts';
import { createCorpusIndex } from './corpus-index.ts';
import { prepareQuery } from './metric.ts';
import { bruteForce, clustered, deletion, upsert } from './testing/model.ts';

const norm = (values: ArrayLike<number>) => Math.hypot(...Array.from(values));
const cosine = (one: ArrayLike<number>, other: ArrayLike<number>) =>
  Array.from(one).reduce((sum, value, place) => sum + value * (other[place] ?? 0), 0) / (norm(one) * norm(other));

/** Directions of all kinds: dense, along an axis, with values that differ by thirty orders, tiny and huge as a whole. */
const values = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: -3, max: 3 }) },
  { weight: 6, arbitrary: fc.double({ min: -1, max: 1, noNaN: true }) },
  { weight: 1, arbitrary: fc.constantFrom(1e-30, -1e-9, 1e9) },
);
const vectorsOf = (dimension: number) =>
  fc
    .tuple(fc.array(values, { minLength: dimension, maxLength: dimension }), fc.constantFrom(1, 1, 1, 1e-30, 1e25))
    .map(([row, size]) => Float32Array.from(row, (value) => value * size))
    .filter((row) => row.some((value) => value !== 0));

describe('codes', () => {
  it('hold the nearest among their candidates, ties included, whatever died', () => {
    const inputs = fc.integer({ min: 1, max: 40 }).chain((dimension) =>
      fc.tuple(
        vectorsOf(dimension),
        fc.array(fc.tuple(vectorsOf(dimension), fc.constantFrom('lives', 'lives', 'dies', 'empty')), {
          maxLength: 40,
        }),
        fc.integer({ min: 1, max: 12 }),
      ),
    );
    fc.assert(
      fc.property(inputs, ([query, rows, wanted]) => {
        const codes = createCodes(query.length, 2);
        for (const [label, [vector, fate]] of rows.entries()) {
          codes.push(fate === 'empty' ? undefined : vector, norm(vector));
          if (fate === 'dies') codes.kill(label);
        }
        const living = rows.flatMap(([vector, fate], label) =>
          fate === 'lives' ? [{ label, distance: 1 - cosine(query, vector) }] : [],
        );
        const found = codes.candidates(prepareQuery(query, query.length, 'cosine').coded(), wanted);
        const last = living.map(({ distance }) => distance).sort((one, other) => one - other)[wanted - 1];
        const nearest = living.filter(({ distance }) => distance <= (last ?? Number.POSITIVE_INFINITY));
        expect(found).toEqual(expect.arrayContaining(nearest.map(({ label }) => label)));
        expect(living.map(({ label }) => label)).toEqual(expect.arrayContaining(found));
      }),
      { numRuns: 300 },
    );
  });

  it('leave few candidates among documents of a field', () => {
    const rows = clustered(2_000, 384, 40, 0.6, 7);
    const codes = createCodes(384, rows.length);
    for (const row of rows) codes.push(row, norm(row));
    const counts = rows
      .slice(0, 20)
      .map((row) => codes.candidates(prepareQuery(row, 384, 'cosine').coded(), 10).length);
    expect(Math.max(...counts)).toBeLessThan(100);
    expect(Math.min(...counts)).toBeGreaterThanOrEqual(10);
  });
});

describe('codeQuery', () => {
  it('keeps every sum of products within 32 bits, at any width', () => {
    for (const dimension of [1, 8, 384, 4_096, 65_536]) {
      const { values: coded } = codeQuery(new Array<number>(dimension).fill(1 / Math.sqrt(dimension)));
      expect(coded.reduce((sum, value) => sum + 127 * Math.abs(value), 0)).toBeLessThan(2 ** 31);
      expect(coded[0]).toBeGreaterThan(200);
    }
  });
});

describe('a search over codes', () => {
  it('equals brute force, id for id, through upserts, deletions, equal vectors and compactions', () => {
    const dimension = 12;
    const space = { model: 'test', dimension, prefixScheme: 'none' as const };
    const said = fc.array(fc.tuple(fc.integer({ min: 0, max: 30 }), fc.option(vectorsOf(dimension), { freq: 4 })), {
      minLength: 1,
      maxLength: 80,
    });
    fc.assert(
      fc.property(said, vectorsOf(dimension), fc.integer({ min: 1, max: 12 }), (events, query, k) => {
        const index = createCorpusIndex({ space, distance: 'cosine', parameters: { deadMin: 4 } });
        const living = new Map<string, Float32Array>();
        const ready = index.prepare(query);
        for (const [place, [name, vector]] of events.entries()) {
          const id = `w-${name}`;
          if (vector === null) living.delete(id);
          else living.set(id, vector);
          index.apply(vector === null ? deletion(id, place + 1) : upsert(id, place + 1, vector));
          if (place % 5 === 0) index.step();
          const found = index.search(ready, k);
          expect(found).toEqual(index.search(query, k, { exact: true }));
          const expected = bruteForce(living, query, k, 'cosine');
          expect(found).toHaveLength(expected.length);
          // Not by their digits: two doubles that differ in the last bit may round to different ones.
          for (const [rank, { distance }] of expected.entries())
            expect(Math.abs((found[rank]?.distance ?? Number.NaN) - distance)).toBeLessThan(1e-12);
        }
        expect(index.stats().graph).toBe(false);
      }),
      { numRuns: 150 },
    );
  });

  it('refuses a query that was made ready for another index', () => {
    const indexOf = (dimension: number) =>
      createCorpusIndex({ space: { model: 'test', dimension, prefixScheme: 'none' }, distance: 'cosine' });
    expect(() => indexOf(3).search(indexOf(2).prepare([1, 0]), 1)).toThrow(RangeError);
  });
});
