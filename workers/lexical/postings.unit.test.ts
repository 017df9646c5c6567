import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPostings, type Postings } from './postings.ts';

type Posting = readonly [number: number, frequency: number];

function readAll(postings: Postings, term: number, room: number): Posting[] {
  const numbers = new Int32Array(room);
  const frequencies = new Int32Array(room);
  const count = postings.read(term, numbers, frequencies);
  return Array.from({ length: count }, (_, place) => [numbers[place] ?? -1, frequencies[place] ?? -1]);
}

describe('postings', () => {
  it('come back as they were written, lists written in turns', () => {
    const gaps = fc.oneof(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 400_000 }));
    const step = fc.tuple(
      fc.integer({ min: 0, max: 3 }),
      gaps,
      fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 70_000 })),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
        const postings = createPostings();
        const wanted: Posting[][] = [[], [], [], []];
        for (let term = 0; term < wanted.length; term++) expect(postings.addTerm()).toBe(term);
        for (const [term, gap, frequency] of steps) {
          const list = wanted[term] ?? [];
          const number = (list.at(-1)?.[0] ?? -1) + gap;
          list.push([number, frequency]);
          postings.append(term, number, frequency);
        }
        for (const [term, list] of wanted.entries()) {
          expect(readAll(postings, term, list.length)).toEqual(list);
        }
      }),
    );
  });

  it('of a common word take less than two bytes each', () => {
    const postings = createPostings();
    const empty = postings.bytes;
    const term = postings.addTerm();
    for (let number = 0; number < 200_000; number += 2) postings.append(term, number, 1);
    expect(postings.bytes - empty).toBeLessThan(200_000);
    expect(readAll(postings, term, 100_000)).toHaveLength(100_000);
  });

  it('only go on', () => {
    const postings = createPostings();
    const term = postings.addTerm();
    postings.append(term, 7, 1);
    expect(() => postings.append(term, 7, 1)).toThrow(RangeError);
    expect(() => postings.append(term, 6, 1)).toThrow(RangeError);
  });

  it('of many words are kept apart', () => {
    const postings = createPostings();
    for (let term = 0; term < 5_000; term++) postings.append(postings.addTerm(), term, 2);
    const read = Array.from({ length: 5_000 }, (_, term) => readAll(postings, term, 1)).flat();
    expect(read).toEqual(Array.from({ length: 5_000 }, (_, number) => [number, 2]));
  });
});
