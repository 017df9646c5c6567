import { describe, expect, it } from 'vitest';
import { createCorpusIndex } from '../corpus-index/corpus-index.ts';
import { measureAgreement } from './agreement.ts';

/** Documents on a line, each with one number: the nearest by angle are those with the nearest numbers. */
function indexOf(places: Readonly<Record<string, number>>) {
  const index = createCorpusIndex({ space: { model: 'm', dimension: 2, prefixScheme: 'none' }, distance: 'cosine' });
  for (const [id, place] of Object.entries(places)) {
    const content = { version: 1, value: { hash: id, vector: Float32Array.of(1, place) } };
    index.apply({ id, registers: { content, metadata: { version: 0, json: null } } });
  }
  return index;
}
const at = (place: number) => Float32Array.of(1, place);

describe('agreement of two spaces', () => {
  const one = indexOf({ a: 0, b: 0.1, c: 0.5, d: 0.6 });
  const turned = indexOf({ a: 0, b: 0.6, c: 0.5, d: 0.1 });

  it('is one where both find the same', () => {
    expect(measureAgreement([one, one], [[at(0), at(0)]], 2)).toEqual({ overlap: 1, asked: 1 });
  });

  it('is the mean part that both find', () => {
    expect(
      measureAgreement(
        [one, turned],
        [
          [at(0), at(0)],
          [at(0.55), at(0.55)],
        ],
        2,
      ),
    ).toEqual({ overlap: 0.5, asked: 2 });
  });

  it('leaves a document out of its own neighbours', () => {
    expect(measureAgreement([one, turned], [[at(0), at(0), 'a']], 1)).toEqual({ overlap: 0, asked: 1 });
  });

  it('is nothing where nothing is asked, or there', () => {
    expect(measureAgreement([one, one], [], 2)).toEqual({ overlap: null, asked: 0 });
    expect(measureAgreement([indexOf({}), indexOf({})], [[at(0), at(0)]], 2)).toEqual({ overlap: null, asked: 0 });
  });
});
