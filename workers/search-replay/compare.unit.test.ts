import { describe, expect, it } from 'vitest';
import { type Answer, changedResults, distanceTolerance } from './compare.ts';

function answer(...results: readonly (readonly [id: string, distance: number])[]): Answer {
  const told = results.map(([id, distance]) => ({ id, corpus: 'workers', distance }));
  return { problem: null, results: told, boosted: 0, injected: 0 };
}

describe('two answers', () => {
  it('are the same where ranks and distances are', () => {
    const one = answer(['a', 0.1], ['b', 0.2]);
    expect(changedResults(one, answer(['a', 0.1], ['b', 0.2 + distanceTolerance / 2]))).toEqual([]);
  });

  it('differ where a result moved, came in, fell out or is nearer', () => {
    const before = answer(['a', 0.1], ['b', 0.2], ['c', 0.3]);
    const against = answer(['c', 0.05], ['a', 0.1], ['d', 0.25]);
    expect(changedResults(before, against).map(({ id, rank, distance }) => [id, rank, distance])).toEqual([
      ['a', [1, 2], [0.1, 0.1]],
      ['c', [3, 1], [0.3, 0.05]],
      ['b', [2, null], [0.2, null]],
      ['d', [null, 3], [null, 0.25]],
    ]);
    expect(changedResults(answer(['a', 0.4]), answer(['a', 0.2]))).toHaveLength(1);
  });

  it('keep documents of two corpora apart', () => {
    const other: Answer = { ...answer(), results: [{ id: 'a', corpus: 'people', distance: 0.1 }] };
    expect(changedResults(answer(['a', 0.1]), other)).toHaveLength(2);
  });
});
