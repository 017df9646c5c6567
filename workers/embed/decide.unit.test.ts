import { describe, expect, it } from 'vitest';
import type { DocumentData, VectorData } from '../../schemas/events/document.ts';
import { encodeVector } from '../../schemas/vector.ts';
import { decideInSpace, type EmbedPorts, joinVectorStates } from './decide.ts';
import { EmbedderError } from './embedder.ts';

const own = 'own@2';
const beside = 'beside@2';
const hash = 'a'.repeat(64);
const vector = encodeVector(Float32Array.of(1, 0));
const context = {
  subject: 'documents.c.x',
  sequence: 7,
  traceId: undefined,
  traceparent: undefined,
  signal: new AbortController().signal,
};

function documentOf(value: DocumentData['content']['value']): DocumentData {
  return {
    corpus: 'c',
    id: 'x',
    content: { version: 3, value },
    metadata: { version: 2, value: { a: 1 } },
    former_spaces: [],
  };
}

function stateOf(value: VectorData['content']['value'], version = 3): VectorData {
  return {
    corpus: 'c',
    id: 'x',
    space: beside,
    content: { version, value },
    metadata: { version: 2, value: { a: 1 } },
  };
}

const ports: EmbedPorts = {
  newestVector: async () => undefined,
  embedderOf: () => async (text) => {
    if (text === 'away') throw new EmbedderError({ kind: 'outage', message: 'away' });
    if (text === 'refused') throw new EmbedderError({ kind: 'text_refused', message: 'no', textIndex: 0 });
    return { vector: Float32Array.of(1, 0), truncated: false };
  },
};

async function decided(value: DocumentData['content']['value']) {
  const event = { type: 'lakehouse.document', data: documentOf(value) } as Parameters<typeof decideInSpace>[0];
  const decision = await decideInSpace(event, context, beside, ports);
  if (decision.kind !== 'append') return decision.kind;
  return decision.events.map((planned) => ('decide' in planned ? planned.decide(undefined) : undefined));
}

describe('a document in a space beside its own', () => {
  it('has its text embedded there, under the version and hash that it has', async () => {
    const made = await decided({ hash, space: own, text: 'hello', vector: null });
    expect(made).toEqual([stateOf({ hash, text: 'hello', vector, truncated: false })]);
  });

  it.each([
    ['deleted', null],
    ['a vector without a text', { hash, space: own, text: null, vector }],
    ['refused by the model', { hash, space: own, text: 'refused', vector: null }],
  ])('is known there as absent where it is %s', async (_, value) => {
    expect(await decided(value)).toEqual([stateOf(null)]);
  });

  it('is tried again while the embedder is away, and left alone in its own space', async () => {
    expect(await decided({ hash, space: own, text: 'away', vector: null })).toBe('retry');
    expect(await decided({ hash, space: beside, text: 'hello', vector: null })).toBe('skip');
  });
});

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
