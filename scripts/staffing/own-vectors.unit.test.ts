import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createVectorSource, encodeVector } from './own-vectors.ts';

const dot = (one: Float32Array, other: Float32Array): number =>
  one.reduce((sum, value, at) => sum + value * (other[at] ?? Number.NaN), 0);

describe('createVectorSource', () => {
  it('gives unit vectors of the dimension, the same for the same mixture and row', () => {
    const mixtures = fc.record({
      dimension: fc.integer({ min: 1, max: 64 }),
      clusters: fc.integer({ min: 1, max: 8 }),
      seed: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    });
    fc.assert(
      fc.property(mixtures, fc.integer({ min: 0, max: 1e6 }), (mixture, row) => {
        const vector = createVectorSource(mixture)(row);
        expect(vector).toHaveLength(mixture.dimension);
        expect(dot(vector, vector)).toBeCloseTo(1, 5);
        expect(createVectorSource(mixture)(row)).toEqual(vector);
      }),
    );
  });

  it('makes clusters: a vector has near neighbours as well as far ones', () => {
    const source = createVectorSource({ dimension: 64, clusters: 4, seed: 5 });
    const first = source(0);
    const similarities = Array.from({ length: 200 }, (_, row) => dot(first, source(row + 1)));
    const near = similarities.filter((similarity) => similarity > 0.5).length;
    expect(near).toBeGreaterThan(20);
    expect(near).toBeLessThan(100);
  });

  it('draws other vectors for other rows and seeds', () => {
    const source = createVectorSource({ dimension: 8, clusters: 2, seed: 1 });
    expect(source(1)).not.toEqual(source(2));
    expect(createVectorSource({ dimension: 8, clusters: 2, seed: 2 })(1)).not.toEqual(source(1));
  });

  it('refuses a mixture of nothing', () => {
    expect(() => createVectorSource({ dimension: 0, clusters: 1, seed: 1 })).toThrow(RangeError);
    expect(() => createVectorSource({ dimension: 4, clusters: 0, seed: 1 })).toThrow(RangeError);
  });
});

describe('encodeVector', () => {
  it('is base64 of little-endian float32', () => {
    expect(encodeVector(Float32Array.of(1, -2))).toBe(
      Buffer.from([0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0]).toString('base64'),
    );
  });

  it('reads back to the same bits, also from a view into a larger buffer', () => {
    fc.assert(
      fc.property(fc.float32Array({ minLength: 1, maxLength: 32 }), (vector) => {
        const wide = new Float32Array(vector.length + 1);
        wide.set(vector, 1);
        const bytes = Buffer.from(encodeVector(wide.subarray(1)), 'base64');
        for (const [at, value] of vector.entries()) expect(bytes.readFloatLE(at * 4)).toBe(value);
      }),
    );
  });
});
