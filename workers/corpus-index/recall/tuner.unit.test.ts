import { describe, expect, it } from 'vitest';
import { type CorpusIndex, createCorpusIndex } from '../corpus-index.ts';
import { bruteForce, clustered, finish, recall, upsert } from '../testing/model.ts';

const dimension = 32;
const space = { model: 'test', dimension, prefixScheme: 'none' as const };
const target = 0.99;
const k = 10;

function filled(vectors: readonly Float32Array[]): { index: CorpusIndex; documents: Map<string, Float32Array> } {
  const index = createCorpusIndex({ space, distance: 'cosine', parameters: { exactBelow: 100 } });
  const documents = new Map(vectors.map((vector, place) => [`w-${place}`, vector]));
  for (const [id, vector] of documents) index.apply(upsert(id, 1, vector));
  finish(index);
  return { index, documents };
}

function meanRecall(
  index: CorpusIndex,
  documents: Map<string, Float32Array>,
  queries: readonly Float32Array[],
): number {
  const each = queries.map((query) => recall(index.search(query, k), bruteForce(documents, query, k, 'cosine')));
  return each.reduce((sum, one) => sum + one, 0) / each.length;
}

function tuneAll(index: CorpusIndex): number {
  let slices = 1;
  while (index.tune(target)) slices++;
  return slices;
}

describe('ef follows the recall that is measured', () => {
  it('rises where clusters are tight and queries are far from all of them', () => {
    const { index, documents } = filled(clustered(3_000, dimension, 30, 0.02, 3));
    const far = (count: number, seed: number) => clustered(count, dimension, count, 0, seed);
    const queries = far(60, 11);
    expect(meanRecall(index, documents, queries)).toBeLessThan(0.95);
    for (const query of far(1_200, 12)) index.searchWithin(query, k, {});
    expect(tuneAll(index)).toBeGreaterThan(300);
    expect(index.recall()).toMatchObject({ target, live: 3_000, queries: 3 * 128 });
    expect(index.recall()?.ef).toBeGreaterThan(100);
    expect(index.recall()?.recall).toBeGreaterThanOrEqual(target);
    expect(meanRecall(index, documents, queries)).toBeGreaterThanOrEqual(0.98);
  });

  it('falls where the graph is easy, and is measured again when half of it is new', () => {
    const vectors = clustered(2_400, dimension, 40, 0.6, 5);
    const { index, documents } = filled(vectors.slice(0, 1_200));
    tuneAll(index);
    const first = index.recall();
    expect(first?.ef).toBeLessThan(100);
    expect(first).toMatchObject({ live: 1_200, queries: 2 * 128 });
    const queries = clustered(60, dimension, 40, 0.6, 5);
    expect(meanRecall(index, documents, queries)).toBeGreaterThanOrEqual(0.98);
    expect(index.tune(target)).toBe(false);
    for (const [place, vector] of vectors.slice(1_200).entries()) index.apply(upsert(`new-${place}`, 2, vector));
    finish(index);
    tuneAll(index);
    expect(index.recall()).toMatchObject({ live: 2_400 });
  });

  it('measures nothing where there is no graph, and gives up a measurement of a graph that went', () => {
    const { index } = filled(clustered(80, dimension, 8, 0.5, 1));
    expect(index.tune(target)).toBe(false);
    const large = filled(clustered(400, dimension, 8, 0.5, 1)).index;
    expect(large.tune(target)).toBe(true);
    for (let place = 0; place < 380; place++)
      large.apply({
        id: `w-${place}`,
        registers: { content: { version: 9, value: null }, metadata: { version: 9, json: null } },
      });
    finish(large);
    expect(large.stats().graph).toBe(false);
    expect(large.tune(target)).toBe(false);
    expect([index.recall(), large.recall()]).toEqual([undefined, undefined]);
  });
});
