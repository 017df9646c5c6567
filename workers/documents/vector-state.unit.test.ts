import { describe, expect, it } from 'vitest';
import type { VectorData } from '../../schemas/events/document.ts';
import { encodeVector } from '../../schemas/vector.ts';
import { joinVectorStates } from './vector-state.ts';

const space = 'beside@2';
const hash = 'a'.repeat(64);
const vector = encodeVector(Float32Array.of(1, 0));

function stateOf(value: VectorData['content']['value'], version = 3): VectorData {
  return {
    corpus: 'c',
    id: 'x',
    space,
    content: { version, value },
    metadata: { version: 2, value: { a: 1 } },
  };
}

describe('two words of one version in one space', () => {
  const present = stateOf({ hash, text: 'hello', vector, truncated: false });
  const absent = stateOf(null);

  it('come to the same in either order: what is there outranks what is absent', () => {
    expect(joinVectorStates(absent, present)).toEqual(present);
    expect(joinVectorStates(present, absent)).toBeUndefined();
    expect(joinVectorStates(absent, absent)).toBeUndefined();
    expect(joinVectorStates(present, present)).toBeUndefined();
  });

  it('are overruled by a later absence', () => {
    expect(joinVectorStates(present, stateOf(null, 4))?.content).toEqual({ version: 4, value: null });
    expect(joinVectorStates(stateOf(null, 4), present)).toBeUndefined();
  });
});
