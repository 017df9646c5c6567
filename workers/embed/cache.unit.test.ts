import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { PrefixScheme } from '../../schemas/space.ts';
import { cacheKey, withCache } from './cache.ts';
import { type Embedder, EmbedderError, effectiveModel } from './embedder.ts';

const signal = new AbortController().signal;

/** An embedder that remembers what it was asked and gives every text a vector of its own. */
function createRecorder(options: { model?: string; prefixScheme?: PrefixScheme } = {}) {
  const calls: string[][] = [];
  const embedder: Embedder = {
    space: { model: options.model ?? 'm', dimension: 2, prefixScheme: options.prefixScheme ?? 'none' },
    name: 'recorder',
    embed: async (texts, kind) => {
      calls.push([...texts]);
      return {
        vectors: texts.map((text) => Float32Array.of(text.length, kind === 'query' ? 1 : 0)),
        truncated: texts.map((text) => text.startsWith('long')),
      };
    },
    close: async () => {},
  };
  return { embedder, calls };
}

describe('withCache', () => {
  it.each([0, -1])('passes everything through at size %d', async (entriesMax) => {
    const { embedder, calls } = createRecorder();
    const cached = withCache(embedder, entriesMax);
    await cached.embed(['a'], 'document', signal);
    await cached.embed(['a'], 'document', signal);
    expect(calls).toEqual([['a'], ['a']]);
    expect(cached.stats()).toEqual({ hits: 0, misses: 0, hit_rate: 0, size: 0 });
  });

  it('answers a repeated text from the cache', async () => {
    const { embedder, calls } = createRecorder();
    const cached = withCache(embedder);
    const first = await cached.embed(['long text'], 'document', signal);
    const second = await cached.embed(['long text'], 'document', signal);
    expect(second).toEqual(first);
    expect(second.truncated).toEqual([true]);
    expect(calls).toEqual([['long text']]);
    expect(cached.stats()).toEqual({ hits: 1, misses: 1, hit_rate: 0.5, size: 1 });
  });

  it('tells what it remembers of one text, as a copy and of its kind, and asks for nothing', async () => {
    const { embedder, calls } = createRecorder({ prefixScheme: 'nomic' });
    const cached = withCache(embedder);
    expect(cached.remembered('long text', 'document')).toBeUndefined();
    expect(cached.stats()).toMatchObject({ hits: 0, misses: 0 });
    await cached.embed(['long text'], 'document', signal);
    const remembered = cached.remembered('long text', 'document');
    expect(remembered).toEqual({ vector: Float32Array.of(9, 0), truncated: true });
    remembered?.vector.fill(7);
    expect(cached.remembered('long text', 'document')?.vector).toEqual(Float32Array.of(9, 0));
    expect(cached.remembered('long text', 'query')).toBeUndefined();
    expect(cached.stats()).toMatchObject({ hits: 2, misses: 1 });
    expect(calls).toHaveLength(1);
    expect(withCache(embedder, 0).remembered('long text', 'document')).toBeUndefined();
  });

  it('reference 10.19: sends only the misses of a mixed batch and keeps the order', async () => {
    const { embedder, calls } = createRecorder();
    const cached = withCache(embedder);
    await cached.embed(['bb', 'dddd'], 'document', signal);
    const { vectors } = await cached.embed(['a', 'bb', 'ccc', 'dddd'], 'document', signal);
    expect(calls).toEqual([
      ['bb', 'dddd'],
      ['a', 'ccc'],
    ]);
    expect(vectors.map((vector) => vector[0])).toEqual([1, 2, 3, 4]);
  });

  it('keeps models apart', async () => {
    expect(cacheKey('one', 'text', 'document', { prefixScheme: 'none' })).not.toBe(
      cacheKey('other', 'text', 'document', { prefixScheme: 'none' }),
    );
  });

  it('reference 10.18: shares entries between an empty model name and the model that it means', () => {
    const { embedder } = createRecorder({ model: 'nomic-embed-text' });
    const keys = ['', undefined, 'nomic-embed-text'].map((name) =>
      cacheKey(effectiveModel(name, embedder.space), 'text', 'document', embedder.space),
    );
    expect(new Set(keys).size).toBe(1);
  });

  it('forgets the least recently used', async () => {
    const { embedder, calls } = createRecorder();
    const cached = withCache(embedder, 2);
    await cached.embed(['a', 'b'], 'document', signal);
    await cached.embed(['a'], 'document', signal);
    await cached.embed(['c'], 'document', signal);
    await cached.embed(['a'], 'document', signal);
    await cached.embed(['b'], 'document', signal);
    expect(calls).toEqual([['a', 'b'], ['c'], ['b']]);
    expect(cached.stats().size).toBe(2);
  });

  it('answers a batch larger than the cache, whatever is pushed out on the way', async () => {
    const { embedder } = createRecorder();
    const cached = withCache(embedder, 1);
    await cached.embed(['a'], 'document', signal);
    const { vectors } = await cached.embed(['a', 'bb', 'ccc'], 'document', signal);
    expect(vectors.map((vector) => vector[0])).toEqual([1, 2, 3]);
  });

  it('hands on the error of the embedder and keeps nothing of it', async () => {
    const { embedder, calls } = createRecorder();
    const failure = new EmbedderError({ kind: 'outage', message: 'away' });
    let broken = true;
    const cached = withCache({
      ...embedder,
      embed: async (...request) => {
        if (broken) throw failure;
        return embedder.embed(...request);
      },
    });
    await expect(cached.embed(['a'], 'document', signal)).rejects.toBe(failure);
    expect(cached.stats().size).toBe(0);
    broken = false;
    await cached.embed(['a'], 'document', signal);
    expect(calls).toEqual([['a']]);
  });

  it('names a refused text by its place in the request of the caller', async () => {
    const { embedder } = createRecorder();
    const cached = withCache({
      ...embedder,
      embed: async (texts, ...rest) => {
        const textIndex = texts.indexOf('bad');
        if (textIndex === -1) return embedder.embed(texts, ...rest);
        throw new EmbedderError({ kind: 'text_refused', message: 'refused', textIndex });
      },
    });
    await cached.embed(['known', 'known too'], 'document', signal);
    const request = cached.embed(['known', 'new', 'new', 'known too', 'bad'], 'document', signal);
    await expect(request).rejects.toMatchObject({ reason: 'text_refused', textIndex: 4 });
  });

  it('does not call the embedder where every text is known', async () => {
    const { embedder, calls } = createRecorder();
    const cached = withCache(embedder);
    await cached.embed(['a', 'bb'], 'document', signal);
    const { vectors } = await cached.embed(['bb', 'a', 'bb'], 'document', signal);
    expect(vectors.map((vector) => vector[0])).toEqual([2, 1, 2]);
    expect(calls).toHaveLength(1);
  });

  it('adds up hits and misses text by text', async () => {
    const { embedder } = createRecorder();
    const cached = withCache(embedder);
    expect(cached.stats().hit_rate).toBe(0);
    await cached.embed(['a', 'b'], 'document', signal);
    await cached.embed(['a', 'b', 'c'], 'document', signal);
    await cached.embed(['a', 'b', 'c'], 'document', signal);
    expect(cached.stats()).toEqual({ hits: 5, misses: 3, hit_rate: 5 / 8, size: 3 });
  });

  it('reference 10.17: rejects no texts and empty texts before the embedder is called', async () => {
    const { embedder, calls } = createRecorder();
    const cached = withCache(embedder);
    await expect(cached.embed([], 'document', signal)).rejects.toMatchObject({ reason: 'text_refused' });
    await expect(cached.embed(['a', ''], 'document', signal)).rejects.toMatchObject({ textIndex: 1 });
    expect(calls).toEqual([]);
    expect(cached.stats()).toEqual({ hits: 0, misses: 0, hit_rate: 0, size: 0 });
  });

  it('serves 50 callers with 100 calls each at once', async () => {
    const { embedder } = createRecorder();
    const cached = withCache(embedder, 20);
    const callers = Array.from({ length: 50 }, async (_, caller) => {
      for (let call = 0; call < 100; call++) {
        const text = 'x'.repeat(1 + ((caller + call) % 30));
        const { vectors } = await cached.embed([text], 'document', signal);
        expect(vectors[0]?.[0]).toBe(text.length);
      }
    });
    await Promise.all(callers);
    const { hits, misses, size } = cached.stats();
    expect(hits + misses).toBe(5000);
    expect(size).toBe(20);
  });

  it('asks once for a text that a batch holds twice', async () => {
    const { embedder, calls } = createRecorder();
    const { vectors } = await withCache(embedder).embed(['a', 'bb', 'a'], 'document', signal);
    expect(calls).toEqual([['a', 'bb']]);
    expect(vectors.map((vector) => vector[0])).toEqual([1, 2, 1]);
  });

  it('gives copies: a changed vector changes nobody else', async () => {
    const { embedder } = createRecorder();
    const cached = withCache(embedder);
    const fresh = await cached.embed(['a', 'a'], 'document', signal);
    fresh.vectors[0]?.fill(9);
    expect(fresh.vectors[1]?.[0]).toBe(1);
    const again = await cached.embed(['a'], 'document', signal);
    again.vectors[0]?.fill(9);
    expect((await cached.embed(['a'], 'document', signal)).vectors[0]?.[0]).toBe(1);
  });
});

describe('cacheKey', () => {
  it('reference 10.18: is the model and the sha256 of the text, and stays so', () => {
    const sha256 = createHash('sha256').update('forklift').digest('hex');
    const keys = ['query', 'document'] as const;
    for (const kind of keys) expect(cacheKey('m', 'forklift', kind, { prefixScheme: 'none' })).toBe(`m:${sha256}`);
    expect(cacheKey('m', 'abc', 'document', { prefixScheme: 'none' })).toBe(
      'm:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    );
  });

  it('keeps a query and a document apart where the space prefixes them', async () => {
    const { embedder, calls } = createRecorder({ prefixScheme: 'nomic' });
    const cached = withCache(embedder);
    const query = await cached.embed(['a'], 'query', signal);
    const document = await cached.embed(['a'], 'document', signal);
    expect(calls).toHaveLength(2);
    expect(query.vectors).not.toEqual(document.vectors);
  });
});
