import { describe, expect, it } from 'vitest';
import { createCorpusIndex } from './corpus-index.ts';
import { bruteForce, clustered, deletion, finish, recall, seededRandom, upsert } from './testing/model.ts';

const dimension = 384;
const space = { model: 'test', dimension, prefixScheme: 'none' as const };
const k = 10;

function perturbed(vector: Float32Array, other: Float32Array): Float32Array {
  return vector.map((value, place) => value + 0.4 * (other[place] ?? 0));
}

describe('5,000 documents of 384 dimensions', () => {
  const vectors = clustered(5_000, dimension, 100, 0.6, 1);
  const documents = new Map(vectors.map((vector, place) => [`w-${place}`, vector]));
  const index = createCorpusIndex({ space, distance: 'cosine', parameters: { exactBelow: 1_000 } });
  for (const [place, vector] of vectors.entries()) index.apply(upsert(`w-${place}`, place + 1, vector));
  finish(index);
  const at = (place: number) => vectors[place % vectors.length] ?? new Float32Array(dimension);
  const queries = Array.from({ length: 40 }, (_, place) => perturbed(at(place * 47), at(place * 31 + 7)));

  it('are found through the graph with a recall of at least 0.99', () => {
    expect(index.stats()).toMatchObject({ graph: true, tail: 0 });
    const recalls = queries.map((query) => recall(index.search(query, k), bruteForce(documents, query, k, 'cosine')));
    expect(recalls.reduce((sum, one) => sum + one, 0) / recalls.length).toBeGreaterThanOrEqual(0.99);
  });

  it('are told at the same distances by graph and scan; an identical vector within 1e-6 of 0', () => {
    for (const query of queries.slice(0, 20)) {
      const exact = new Map(index.search(query, k, { exact: true }).map((hit) => [hit.id, hit.distance]));
      for (const hit of index.search(query, k)) expect(exact.get(hit.id) ?? hit.distance).toBe(hit.distance);
    }
    const [nearest] = index.search(at(4_000), 1);
    expect(nearest?.id).toBe('w-4000');
    expect(nearest?.distance).toBeLessThan(1e-6);
    expect(nearest?.distance).toBeGreaterThanOrEqual(0);
  });

  it('ten of them match a filter: those ten are found', () => {
    const wanted = new Set(Array.from({ length: k }, (_, place) => `w-${place * 487}`));
    const slots = new Map([...index.entries()].map((entry) => [entry.slot, entry.id]));
    const hits = index.search(at(3), k, { accept: (slot) => wanted.has(slots.get(slot) ?? '') });
    expect(new Set(hits.map((hit) => hit.id))).toEqual(wanted);
  });

  it('reference 10.12: a fresh document is the nearest to its own content at once, and after it entered the graph', () => {
    const fresh = clustered(20, dimension, 20, 0.6, 77);
    for (const [place, vector] of fresh.entries()) {
      index.apply(upsert(`fresh-${place}`, 10_000 + place, vector));
      expect(index.search(vector, 1).map((hit) => hit.id)).toEqual([`fresh-${place}`]);
    }
    finish(index);
    for (const [place, vector] of fresh.entries())
      expect(index.search(vector, 1).map((hit) => hit.id)).toEqual([`fresh-${place}`]);
    for (const place of fresh.keys()) index.apply(deletion(`fresh-${place}`, 20_000 + place));
    for (const vector of fresh) expect(index.search(vector, 1)[0]?.id).not.toContain('fresh');
  });
});

describe('equal vectors', () => {
  it('do not hide others from the graph', () => {
    const vectors = clustered(2_000, 64, 40, 0, 5);
    const documents = new Map(vectors.map((vector, place) => [`w-${place}`, vector]));
    const parameters = { exactBelow: 100, graphPartMax: 1 };
    const index = createCorpusIndex({ space: { ...space, dimension: 64 }, distance: 'cosine', parameters });
    for (const [id, vector] of documents) index.apply(upsert(id, 1, vector));
    finish(index);
    const queries = clustered(30, 64, 30, 0, 6);
    for (const query of queries)
      expect(recall(index.search(query, 5), bruteForce(documents, query, 5, 'cosine'))).toBe(1);
  });
});

describe('a small index under sustained writes', () => {
  it('reference 10.10: answers right throughout: upserts, deletions and re-adds about the limit of the graph', () => {
    const random = seededRandom(9);
    const vectors = clustered(400, 16, 8, 0.5, 3);
    const parameters = { exactBelow: 48, graphPartMax: 1, deadMin: 16, m: 8, efConstruction: 60 };
    const index = createCorpusIndex({ space: { ...space, dimension: 16 }, distance: 'cosine', parameters });
    const documents = new Map<string, Float32Array>();
    const seen = { graph: 0, exact: 0, compacting: 0 };
    for (let version = 1; version <= 6_000; version++) {
      const id = `w-${Math.floor(random() * 64)}`;
      const vector = vectors[Math.floor(random() * vectors.length)] ?? new Float32Array(16);
      // Waves: growing for a while, then shrinking.
      const deletes = random() < (Math.floor(version / 500) % 2 === 0 ? 0.2 : 0.8);
      if (deletes) documents.delete(id);
      else documents.set(id, vector);
      expect(index.apply(deletes ? deletion(id, version) : upsert(id, version, vector))).toBe('applied');
      const { graph, compacting } = index.stats();
      seen[graph ? 'graph' : 'exact']++;
      if (compacting) seen.compacting++;
      if (version % 20 === 0) {
        const truth = bruteForce(documents, vector, 5, 'cosine');
        expect(recall(index.search(vector, 5), truth)).toBe(1);
        expect(index.size).toBe(documents.size);
      }
    }
    expect(seen.graph).toBeGreaterThan(500);
    expect(seen.exact).toBeGreaterThan(500);
    expect(seen.compacting).toBeGreaterThan(50);
    finish(index);
    const { vectors: kept, dead } = index.stats();
    expect(dead).toBeLessThan(Math.max(16, kept * 0.2));
  });
});

describe('work in slices', () => {
  it('at most two insertions in apply, one in step', () => {
    const index = createCorpusIndex({
      space: { ...space, dimension: 16 },
      distance: 'cosine',
      parameters: { exactBelow: 50, deadMin: 20 },
    });
    const vectors = clustered(600, 16, 30, 0.5, 4);
    for (const [place, vector] of vectors.entries()) {
      const before = index.insertions();
      index.apply(upsert(`w-${place % 150}`, place + 1, vector));
      expect(index.insertions() - before).toBeLessThanOrEqual(2);
      const between = index.insertions();
      if (place % 5 === 0) index.step();
      expect(index.insertions() - between).toBeLessThanOrEqual(1);
    }
    expect(index.insertions()).toBeGreaterThan(500);
  });
});
