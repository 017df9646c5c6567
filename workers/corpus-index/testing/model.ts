import type { CorpusIndex, Distance, Hit, VectorRecord } from '../corpus-index.ts';

/** Numbers in [0, 1) from a seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A sampler of a standard normal distribution (Box-Muller). */
export function gaussian(random: () => number): () => number {
  return () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** Vectors about so many centres: what texts of a field look like to a model. */
export function clustered(count: number, dimension: number, clusters: number, spread: number, seed: number) {
  const normal = gaussian(seededRandom(seed));
  const vector = () => Float32Array.from({ length: dimension }, normal);
  const centres = Array.from({ length: clusters }, vector);
  return Array.from({ length: count }, (_, place) => {
    const centre = centres[place % clusters] ?? vector();
    return centre.map((value) => value + spread * normal());
  });
}

export function upsert(id: string, version: number, vector: Float32Array, json: string | null = null): VectorRecord {
  const hash = version.toString(16).padStart(64, '0');
  return {
    id,
    registers: {
      content: { version, value: { hash, vector } },
      metadata: { version: json === null ? 0 : version, json },
    },
  };
}

export function deletion(id: string, version: number): VectorRecord {
  return { id, registers: { content: { version, value: null }, metadata: { version, json: null } } };
}

/** The nearest by plain arithmetic in double, ties by id: the oracle. */
export function bruteForce(
  documents: ReadonlyMap<string, Float32Array>,
  query: ArrayLike<number>,
  k: number,
  distance: Distance,
): { id: string; distance: number }[] {
  const asked = Float32Array.from(query);
  return [...documents]
    .map(([id, vector]) => ({ id, distance: plainDistance(asked, vector, distance) }))
    .sort((one, other) => one.distance - other.distance || (one.id < other.id ? -1 : 1))
    .slice(0, k);
}

function plainDistance(query: Float32Array, vector: Float32Array, distance: Distance): number {
  let [dot, queryNorm, vectorNorm, squares] = [0, 0, 0, 0];
  for (const [place, value] of vector.entries()) {
    const asked = query[place] ?? 0;
    dot += asked * value;
    queryNorm += asked * asked;
    vectorNorm += value * value;
    squares += (asked - value) ** 2;
  }
  return distance === 'cosine'
    ? Math.max(0, 1 - dot / (Math.sqrt(queryNorm) * Math.sqrt(vectorNorm)))
    : Math.sqrt(squares);
}

/** The part of the true nearest that was found; a hit as near as the last of them counts. */
export function recall(found: readonly Hit[], truth: readonly { distance: number }[]): number {
  const bound = (truth.at(-1)?.distance ?? 0) + 1e-9;
  return truth.length === 0 ? 1 : found.filter((hit) => hit.distance <= bound).length / truth.length;
}

export function finish(index: CorpusIndex): void {
  while (index.step());
}
