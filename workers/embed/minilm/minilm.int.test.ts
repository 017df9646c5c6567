/** The real weights, computed in the test's own process. The threads of the product are in compiled.int.test.ts. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Embedder, EmbedKind } from '../embedder.ts';
import { createMiniLmEmbedder } from './minilm.ts';

const neverAborted = new AbortController().signal;

function dot(one: Float32Array, other: Float32Array): number {
  return one.reduce((sum, value, index) => sum + value * (other[index] ?? Number.NaN), 0);
}

describe('all-MiniLM-L6-v2', () => {
  let embedder: Embedder;
  beforeAll(async () => {
    embedder = await createMiniLmEmbedder({ threads: 0 });
  });
  afterAll(() => embedder.close());

  async function embed(texts: readonly string[], kind: EmbedKind = 'document'): Promise<Float32Array[]> {
    return (await embedder.embed(texts, kind, neverAborted)).vectors;
  }

  it('names its space', () => {
    expect(embedder.space).toEqual({ model: 'all-minilm-l6-v2', dimension: 384, prefixScheme: 'none' });
  });

  it('gives the published vectors', async () => {
    const [vector = new Float32Array()] = await embed(['This is an example sentence']);
    const published = [0.06766, 0.06356, 0.04873, 0.07941, 0.03745];
    published.forEach((value, index) => {
      expect(vector[index]).toBeCloseTo(value, 4);
    });
    expect(vector).toHaveLength(384);
    expect(Math.hypot(...vector)).toBeCloseTo(1, 6);
  });

  it('gives the published similarities', async () => {
    const texts = ['The weather is lovely today.', "It's so sunny outside!", 'He drove to the stadium.'];
    const [weather, sunny, stadium] = await embed(texts);
    if (weather === undefined || sunny === undefined || stadium === undefined) throw new Error('a vector is missing');
    expect(dot(weather, sunny)).toBeCloseTo(0.666, 3);
    expect(dot(weather, stadium)).toBeCloseTo(0.105, 3);
    expect(dot(sunny, stadium)).toBeCloseTo(0.141, 3);
  });

  it('gives a text the same vector alone and in a batch of other lengths, in the order of the request', async () => {
    const texts = [
      'Forklift operator',
      'CNC',
      'Certified reach-truck operator for a cold store in Aurora IL. '.repeat(6),
    ];
    const mixed = Array.from({ length: 60 }, (_, index) => `${texts[index % 3]} number ${index}`);
    const together = await embed(mixed);
    for (const index of [0, 1, 2, 31, 59]) {
      const [alone] = await embed([mixed[index] ?? '']);
      const difference = together[index]?.map((value, position) => Math.abs(value - (alone?.[position] ?? Number.NaN)));
      expect(Math.max(...(difference ?? [Number.NaN]))).toBeLessThan(1e-5);
    }
  });

  it('sees no difference between a query and a document', async () => {
    expect(await embed(['welder'], 'query')).toEqual(await embed(['welder'], 'document'));
  });

  it('reads the beginning of a long text and says so', async () => {
    const beginning = 'operator '.repeat(254);
    const result = await embedder.embed([beginning, `${beginning}welder `.repeat(200)], 'document', neverAborted);
    expect(result.truncated).toEqual([false, true]);
    expect(dot(result.vectors[0] ?? new Float32Array(), result.vectors[1] ?? new Float32Array())).toBeCloseTo(1, 5);
  });

  it('refuses an empty text by its place', async () => {
    const request = embedder.embed(['a', ' '], 'document', neverAborted);
    await expect(request).rejects.toMatchObject({ reason: 'text_refused', textIndex: 1 });
  });

  it('gives up between two parts of a batch when the signal aborts, and serves the next caller', async () => {
    await expect(embedder.embed(['a'], 'document', AbortSignal.abort())).rejects.toMatchObject({ reason: 'deadline' });
    const controller = new AbortController();
    const texts = Array.from({ length: 200 }, (_, index) => `${'forklift operator '.repeat(40)} ${index}`);
    const abandoned = embedder.embed(texts, 'document', controller.signal);
    const outcome = expect(abandoned).rejects.toMatchObject({ reason: 'deadline' });
    await embed(['a query goes before the documents that wait'], 'query');
    controller.abort();
    await outcome;
    expect(await embed(['still here'])).toHaveLength(1);
  });
});
