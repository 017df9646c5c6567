import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { merge, type Registers, silentRegisters } from '../registers/registers.ts';
import { type CorpusIndex, createCorpusIndex, type Distance, type VectorRecord } from './corpus-index.ts';
import { bruteForce, deletion, finish, upsert } from './testing/model.ts';

const dimension = 3;
const space = { model: 'test', dimension, prefixScheme: 'none' as const };
/** Small enough that a few dozen events cross into the graph, out of it, and through compactions. */
const parameters = { exactBelow: 6, graphPartMax: 1, deadMin: 3, m: 4, efConstruction: 20, ef: 20 };

const distances: readonly Distance[] = ['cosine', 'euclidean'];
/** Whole numbers: many vectors are equal, many distances tie. */
const vectors = fc
  .array(fc.integer({ min: -2, max: 2 }), { minLength: dimension, maxLength: dimension })
  .filter((values) => values.some((value) => value !== 0))
  .map((values) => Float32Array.from(values));
const ids = fc.integer({ min: 0, max: 14 }).map((n) => `w-${n}`);

/** One document's events: what the version decides is the same whenever it is said. */
const events = fc
  .array(fc.tuple(ids, fc.option(vectors, { freq: 4 }), fc.constantFrom(null, '{}', '{"role":"Welder"}')), {
    minLength: 1,
    maxLength: 60,
  })
  .map((said) => said.map(([id, vector, json], place) => eventOf(id, place + 1, vector, json)));

function eventOf(id: string, version: number, vector: Float32Array | null, json: string | null): VectorRecord {
  return vector === null ? deletion(id, version) : upsert(id, version, vector, json);
}

/** In order of arrival: shuffled, with duplicates. */
const arrivals = events.chain((said) =>
  fc.array(fc.nat({ max: said.length - 1 }), { maxLength: 20 }).chain((again) =>
    fc.shuffledSubarray([...said, ...again.map((place) => said[place] ?? deletion('w-0', 1))], {
      minLength: said.length + again.length,
    }),
  ),
);

type Model = Map<string, Registers<{ hash: string; vector: Float32Array }>>;

function applyToModel(model: Model, { id, registers }: VectorRecord): void {
  model.set(id, merge(model.get(id) ?? silentRegisters, registers));
}

function livingOf(model: Model): Map<string, Float32Array> {
  const living = new Map<string, Float32Array>();
  for (const [id, { content }] of model) if (content.value !== null) living.set(id, content.value.vector);
  return living;
}

function expectSame(index: CorpusIndex, model: Model, query: Float32Array, k: number, distance: Distance): void {
  const living = livingOf(model);
  expect(index.size).toBe(living.size);
  expect(index.tombstones).toBe(model.size - living.size);
  expect(new Set(index.ids())).toEqual(new Set(living.keys()));
  for (const [id, { content, metadata }] of model) {
    const wanted = { content: { version: content.version, hash: content.value?.hash ?? null }, metadata };
    expect(index.lookup(id)).toEqual(wanted);
    expect(index.vector(id)).toEqual(content.value?.vector);
    expect(index.has(id)).toBe(content.value !== null);
  }
  const truth = bruteForce(living, query, k, distance);
  const tell = (hits: readonly { id: string; distance: number }[]) =>
    hits.map((hit) => ({ id: hit.id, distance: hit.distance.toFixed(9) }));
  expect(tell(index.search(query, k, { exact: true }))).toEqual(tell(truth));
  // Among ties at the last place the graph may choose another; distances have to be the same.
  expect(index.search(query, k).map((hit) => hit.distance.toFixed(6))).toEqual(
    truth.map((hit) => hit.distance.toFixed(6)),
  );
}

describe('equals a plain map and brute force', () => {
  for (const distance of distances)
    it(`under any arrival of upserts, deletions and duplicates (${distance})`, () => {
      fc.assert(
        fc.property(
          arrivals,
          fc.array(fc.nat({ max: 3 }), { minLength: 1, maxLength: 12 }),
          vectors,
          fc.nat({ max: 12 }),
          (arrived, steps, query, k) => {
            const index = createCorpusIndex({ space, distance, parameters });
            const model: Model = new Map();
            for (const [place, record] of arrived.entries()) {
              expect(['applied', 'older']).toContain(index.apply(record));
              applyToModel(model, record);
              for (let step = 0; step < (steps[place % steps.length] ?? 0); step++) index.step();
              if (place % 7 === 0) expectSame(index, model, query, k, distance);
            }
            expectSame(index, model, query, k, distance);
            finish(index);
            expectSame(index, model, query, k, distance);
          },
        ),
        { numRuns: 200 },
      );
    });

  it('with a filter: k results whenever k living documents match', () => {
    fc.assert(
      fc.property(
        arrivals,
        vectors,
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 1, max: 4 }),
        (arrived, query, k, nth) => {
          const index = createCorpusIndex({ space, distance: 'cosine', parameters });
          const model: Model = new Map();
          for (const record of arrived) {
            index.apply(record);
            applyToModel(model, record);
          }
          const matches = (id: string) => Number(id.slice(2)) % nth === 0;
          const matching = new Map([...livingOf(model)].filter(([id]) => matches(id)));
          const slots = new Map([...index.entries()].map((entry) => [entry.slot, entry.id]));
          const found = index.search(query, k, { accept: (slot) => matches(slots.get(slot) ?? 'w-x') });
          const truth = bruteForce(matching, query, k, 'cosine');
          expect(found.map((hit) => hit.distance.toFixed(6))).toEqual(truth.map((hit) => hit.distance.toFixed(6)));
          for (const hit of found) expect(matches(hit.id)).toBe(true);
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe('apply', () => {
  const vector = (...values: number[]) => Float32Array.from(values);
  const fresh = (distance: Distance = 'cosine') => createCorpusIndex({ space, distance, parameters });

  it('reference 10.1: upserts an id that is there: the count stays, the old vector is not found', () => {
    const index = fresh();
    for (let round = 1; round <= 50; round++) index.apply(upsert('w-1', round, vector(1, round, 0)));
    expect(index.size).toBe(1);
    expect(index.search(vector(1, 50, 0), 5)).toEqual([{ id: 'w-1', distance: expect.closeTo(0, 6), slot: 0 }]);
  });

  it('reference 10.2: takes documents again after the last one was deleted', () => {
    const index = fresh();
    for (let n = 0; n < 20; n++) index.apply(upsert(`w-${n}`, n + 1, vector(1, n, 1)));
    finish(index);
    expect(index.stats().graph).toBe(true);
    for (let n = 0; n < 20; n++) index.apply(deletion(`w-${n}`, 100 + n));
    finish(index);
    expect(index.search(vector(1, 0, 0), 3)).toEqual([]);
    expect(index.stats()).toMatchObject({ live: 0, graph: false, dead: 0 });
    index.apply(upsert('w-3', 200, vector(0, 1, 0)));
    expect(index.search(vector(0, 1, 0), 3).map((hit) => hit.id)).toEqual(['w-3']);
  });

  it('reference 10.6: keeps metadata that a later event does not speak of, and clears it with a deletion', () => {
    const index = fresh();
    index.apply(upsert('w-1', 1, vector(1, 0, 0), '{"role":"Welder"}'));
    index.apply(upsert('w-1', 2, vector(0, 1, 0)));
    expect(index.metadataJson(0)).toBe('{"role":"Welder"}');
    index.apply(deletion('w-1', 3));
    expect(index.lookup('w-1')).toEqual({ content: { version: 3, hash: null }, metadata: { version: 3, json: null } });
  });

  it('lesson 29, reference 10.11: lists ids of documents without metadata', () => {
    const index = fresh();
    index.apply(upsert('w-1', 1, vector(1, 0, 0)));
    index.apply(upsert('w-2', 2, vector(1, 1, 0), '{}'));
    expect([...index.ids()]).toEqual(['w-1', 'w-2']);
  });

  it('reference 10.7: gives copies of vectors, and keeps none of what it was given', () => {
    const index = fresh();
    const given = vector(1, 2, 3);
    index.apply(upsert('w-1', 1, given));
    given[0] = 9;
    const copy = index.vector('w-1');
    copy?.fill(7);
    expect(index.vector('w-1')).toEqual(vector(1, 2, 3));
  });

  it('lets nothing older than a tombstone live, also for an id never seen', () => {
    const index = fresh();
    expect(index.apply(deletion('w-1', 5))).toBe('applied');
    expect(index.apply(upsert('w-1', 4, vector(1, 0, 0), '{"a":1}'))).toBe('older');
    expect(index.has('w-1')).toBe(false);
    expect(index.tombstones).toBe(1);
  });

  it('reference 10.5: refuses what would poison it, and changes nothing', () => {
    const index = fresh();
    index.apply(upsert('w-1', 1, vector(1, 0, 0)));
    expect(index.apply(upsert('w-1', 2, vector(Number.NaN, 0, 0), '{}'))).toBe('vector_not_finite');
    expect(index.apply(upsert('w-1', 2, vector(1, Number.POSITIVE_INFINITY, 0)))).toBe('vector_not_finite');
    expect(index.apply(upsert('w-1', 2, vector(0, 0, 0)))).toBe('vector_zero_norm');
    expect(index.apply(upsert('w-1', 2, vector(1, 0)))).toBe('vector_dimension');
    expect(index.apply(upsert('w-2', 2, vector(1, 0)))).toBe('vector_dimension');
    expect(index.lookup('w-1')?.content.version).toBe(1);
    expect(index.lookup('w-2')).toBeUndefined();
    expect(fresh('euclidean').apply(upsert('w-1', 1, vector(0, 0, 0)))).toBe('applied');
  });

  it('keeps the vector where content is said again unchanged, and advances the version', () => {
    const index = fresh();
    index.apply(upsert('w-1', 1, vector(1, 0, 0)));
    index.apply(upsert('w-1', 9, vector(1, 0, 0)));
    expect(index.lookup('w-1')?.content.version).toBe(9);
    expect(index.stats()).toMatchObject({ vectors: 1, dead: 0 });
  });

  it('orders vectors whose norms float32 can not square', () => {
    for (const distance of distances) {
      const index = fresh(distance);
      const documents = new Map<string, Float32Array>();
      for (const [place, size] of [1e-40, 1e-30, 1, 1e20, 3e38].entries())
        for (const values of [vector(size, 0, 0), vector(size, size / 2, 0), vector(0, size, 0)]) {
          const id = `w-${documents.size}`;
          documents.set(id, values);
          index.apply(upsert(id, place + 1, values));
        }
      finish(index);
      for (const query of [vector(1, 0.1, 0), vector(1e-30, 0, 0), vector(1e20, 1e19, 0)]) {
        const truth = bruteForce(documents, query, 6, distance);
        const found = index.search(query, 6);
        expect(found.map((hit) => hit.distance)).toEqual(truth.map((one) => expect.closeTo(one.distance, 9)));
      }
    }
  });
});

describe('search', () => {
  it('refuses a query that is not one', () => {
    const index = createCorpusIndex({ space, distance: 'cosine' });
    expect(() => index.search([1, 0], 1)).toThrow(RangeError);
    expect(() => index.search([1, 0, Number.NaN], 1)).toThrow(RangeError);
    expect(() => index.search([0, 0, 0], 1)).toThrow(RangeError);
    expect(index.search([1, 0, 0], 1)).toEqual([]);
  });

  it('hands on what a filter throws', () => {
    const index = createCorpusIndex({ space, distance: 'cosine', parameters });
    for (let n = 0; n < 20; n++) index.apply(upsert(`w-${n}`, n + 1, Float32Array.of(1, n, 1)));
    finish(index);
    const accept = () => {
      throw new Error('no such field');
    };
    expect(() => index.search([1, 0, 0], 1, { accept })).toThrow('no such field');
    expect(index.search([1, 0, 0], 1)).toHaveLength(1);
  });
});
