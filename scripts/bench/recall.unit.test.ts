import { describe, expect, it } from 'vitest';
import { cosineDistance, recallOfAnswers } from './recall.ts';

const corpus = [
  { id: 'east', vector: [1, 0] },
  { id: 'north-east', vector: [1, 1] },
  { id: 'north', vector: [0, 3] },
  { id: 'west', vector: [-2, 0] },
];

describe('recallOfAnswers', () => {
  it('counts what was served of the nearest', () => {
    const query = [2, 0.1];
    expect(recallOfAnswers(corpus, [{ query, ids: ['east', 'north-east'] }], 2)).toBe(1);
    expect(recallOfAnswers(corpus, [{ query, ids: ['east', 'west'] }], 2)).toBe(0.5);
    expect(recallOfAnswers(corpus, [{ query, ids: [] }], 2)).toBe(0);
    const both = [
      { query, ids: ['east'] },
      { query: [0, 1], ids: ['west'] },
    ];
    expect(recallOfAnswers(corpus, both, 1)).toBe(0.5);
  });

  it('counts an id once, and not at all where it is unknown', () => {
    const query = [1, 0];
    expect(recallOfAnswers(corpus, [{ query, ids: ['east', 'east'] }], 2)).toBe(0.5);
    expect(recallOfAnswers(corpus, [{ query, ids: ['east', 'phantom'] }], 2)).toBe(0.5);
  });

  it('takes either of two that are equally far', () => {
    const twins = [...corpus, { id: 'east-again', vector: [5, 0] }];
    for (const id of ['east', 'east-again']) expect(recallOfAnswers(twins, [{ query: [1, 0], ids: [id] }], 1)).toBe(1);
  });
});

describe('cosineDistance', () => {
  it('is 0 along, 1 across and 2 against', () => {
    expect(cosineDistance([1, 0], [4, 0])).toBe(0);
    expect(cosineDistance([1, 0], [0, 2])).toBe(1);
    expect(cosineDistance([1, 0], [-3, 0])).toBe(2);
  });
});
