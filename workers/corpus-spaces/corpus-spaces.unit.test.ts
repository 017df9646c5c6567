import { describe, expect, it } from 'vitest';
import type { CorpusSpaceData } from '../../schemas/events/corpus-space.ts';
import { createCorpusSpaces } from './corpus-spaces.ts';

function folded(...said: readonly (readonly [space: string, state: CorpusSpaceData['state']])[]) {
  const spaces = createCorpusSpaces();
  for (const [space, state] of said) spaces.note({ corpus: 'c', space, state, run_id: 'r' });
  return spaces;
}

describe('what spaces are to a corpus', () => {
  it('is nothing where nothing was said', () => {
    const spaces = folded();
    expect([spaces.serving('c'), spaces.isHeld('c', 'a@1'), spaces.isDropped('c', 'a@1')]).toEqual([
      undefined,
      false,
      false,
    ]);
    expect(spaces.held()).toEqual([]);
  });

  it('answers in the last one that it was told, and holds the others', () => {
    const spaces = folded(['a@1', 'held'], ['a@1', 'serving'], ['b@1', 'held']);
    expect(spaces.serving('c')).toBe('a@1');
    expect(spaces.held().map(({ space }) => space)).toEqual(['a@1', 'b@1']);
    spaces.note({ corpus: 'c', space: 'b@1', state: 'serving', run_id: 'r' });
    expect(spaces.serving('c')).toBe('b@1');
    expect(spaces.serving('other')).toBeUndefined();
  });

  it('does not answer in one that was dropped', () => {
    const spaces = folded(['a@1', 'serving'], ['a@1', 'dropped']);
    expect(spaces.dropped()).toEqual([{ corpus: 'c', space: 'a@1' }]);
    expect([spaces.serving('c'), spaces.isDropped('c', 'a@1'), spaces.isHeld('c', 'a@1')]).toEqual([
      undefined,
      true,
      false,
    ]);
  });

  it('remembers what was dropped and is held again', () => {
    const spaces = folded(['a@1', 'dropped'], ['b@1', 'serving'], ['a@1', 'held']);
    expect(spaces.heldAgain()).toEqual([{ corpus: 'c', space: 'a@1' }]);
    expect(spaces.isDropped('c', 'a@1')).toBe(false);
    expect(spaces.serving('c')).toBe('b@1');
  });
});
