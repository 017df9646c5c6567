import { describe, expect, it } from 'vitest';
import type { DocumentData, VectorData } from '../../schemas/events/document.ts';
import { encodeVector } from '../../schemas/vector.ts';
import { decideEmbed, decideInSpace, type EmbedPorts } from './decide.ts';
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
  remembered: () => undefined,
  joins: () => false,
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
  return decision.events.map((planned) => ('data' in planned ? planned.data : undefined));
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

describe('what VECTORS holds of a document', () => {
  const said = { type: 'lakehouse.document', data: documentOf({ hash, space: own, text: 'hello', vector: null }) };
  const event = said as Parameters<typeof decideEmbed>[0];
  const embedded = Float32Array.of(0, 1);

  async function contentMade(some: Partial<EmbedPorts>) {
    const decision = await decideEmbed(event, context, { ...ports, ...some });
    const [planned] = decision.kind === 'append' ? decision.events : [];
    return planned !== undefined && 'data' in planned ? planned.data : planned;
  }

  it('is not asked for where the vector of the text is remembered', async () => {
    const newestVector = () => Promise.reject(new Error('nobody may ask'));
    const remembered = () => ({ vector: embedded, truncated: true });
    const value = { hash, text: 'hello', vector: encodeVector(embedded), truncated: true };
    const { space: _, ...state } = stateOf(value);
    expect(await contentMade({ newestVector, remembered })).toEqual({ ...state, space: own });
  });

  it('gives the vector of a text that is not remembered, and nothing is embedded', async () => {
    const value = { hash, text: 'hello', vector: encodeVector(embedded), truncated: false };
    const newestVector = async () => stateOf(value, 1);
    const embedderOf = () => () => Promise.reject(new Error('nothing may be embedded'));
    expect(await contentMade({ newestVector, embedderOf })).toMatchObject({ content: { version: 3, value } });
  });

  it('is joined by compare-and-set only where it is told to be', async () => {
    const joins = (sequence: number) => sequence === context.sequence;
    const decision = await decideEmbed(event, context, { ...ports, joins });
    const newer = { ...stateOf(null, 4), space: own };
    const joined = decision.kind === 'append' ? decision.events : [];
    expect(joined.flatMap((one) => (one.name === 'lakehouse.vector' && 'decide' in one ? [one] : []))).toHaveLength(1);
    for (const one of joined) {
      if (one.name !== 'lakehouse.vector' || !('decide' in one)) continue;
      expect(one.decide(newer)).toBeUndefined();
      expect(one.decide(undefined)).toEqual(await contentMade({}));
    }
  });
});
