import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileFilter, type MetadataFilter } from '../../metadata-filter/metadata-filter.ts';
import { type CorpusIndex, createCorpusIndex } from '../corpus-index.ts';
import { createDocumentTable } from '../document-table.ts';
import { bruteForce, clustered, deletion, finish, recall, upsert } from '../testing/model.ts';
import { createFilters } from './matching.ts';

const dimension = 3;
const space = { model: 'test', dimension, prefixScheme: 'none' as const };
/** Small enough that a few dozen documents have a graph, and that filters walk it. */
const walking = {
  exactBelow: 6,
  graphPartMax: 1,
  deadMin: 3,
  m: 4,
  efConstruction: 20,
  ef: 20,
  scannedPerCandidate: 0,
};

const scalar = fc.constantFrom<unknown>(0, 1, 2.5, -3, 'a', 'b', '1', true, false, null);
const value = fc.oneof(
  { weight: 4, arbitrary: scalar },
  fc.array(scalar, { maxLength: 3 }),
  fc.constantFrom<unknown>({ x: 1 }, { x: 2, y: ['a'] }, [['a', 'b']], [{ x: 1 }]),
);
const key = fc.constantFrom('p', 'q', 'r');
const metadata = fc.option(fc.dictionary(key, value), { freq: 6 });
const bound = fc.constantFrom<unknown>(0, 1, 2, 'a', 'b', '');
const operators = fc.record(
  {
    gt: bound,
    gte: bound,
    lt: bound,
    lte: bound,
    in: fc.array(value, { maxLength: 3 }),
    not: fc.oneof(scalar, fc.array(value, { maxLength: 2 })),
    exists: fc.boolean(),
  },
  { requiredKeys: [] },
);
const condition = fc.oneof(scalar, fc.array(value, { maxLength: 3 }), operators, operators);
const filter = fc.dictionary(key, condition, { minKeys: 1, maxKeys: 3 });
const vector = fc
  .array(fc.integer({ min: -3, max: 3 }), { minLength: dimension, maxLength: dimension })
  .filter((values) => values.some((one) => one !== 0))
  .map((values) => Float32Array.from(values));
const id = fc.integer({ min: 0, max: 25 }).map((n) => `w-${n}`);

type Write = { id: string; vector: Float32Array | null; metadata: object | null };
const write: fc.Arbitrary<Write> = fc.record({ id, vector: fc.option(vector, { freq: 6 }), metadata });
type Question = { filter: MetadataFilter; excludeIds: string[]; query: Float32Array; k: number };
const question: fc.Arbitrary<Question> = fc.record({
  filter,
  excludeIds: fc.array(id, { maxLength: 6 }),
  query: vector,
  k: fc.integer({ min: 1, max: 8 }),
});
const turn = fc.oneof(
  { weight: 5, arbitrary: write.map((said) => ({ write: said })) },
  question.map((asked) => ({ ask: asked })),
  fc.constant('step' as const),
);

/** Documents as a plain map of what was said last. */
class Model {
  readonly documents = new Map<string, { vector: Float32Array | null; json: string | null }>();

  apply({ id, vector, metadata }: Write): void {
    const json = metadata === null ? (vector === null ? null : this.documents.get(id)?.json) : JSON.stringify(metadata);
    this.documents.set(id, { vector, json: vector === null ? null : (json ?? null) });
  }

  nearest({ filter, excludeIds, query, k }: Question) {
    const { admits } = compileFilter(filter);
    const admitted = new Map<string, Float32Array>();
    for (const [id, { vector, json }] of this.documents)
      if (vector !== null && admits(json) && !excludeIds.includes(id)) admitted.set(id, vector);
    return { truth: bruteForce(admitted, query, k, 'cosine'), admitted };
  }
}

function expectNearest(index: CorpusIndex, model: Model, asked: Question): void {
  const { truth, admitted } = model.nearest(asked);
  const { filter, excludeIds, query, k } = asked;
  const { hits } = index.searchWithin(query, k, { filter: compileFilter(filter), excludeIds });
  expect(hits.map(({ distance }) => distance.toFixed(6))).toEqual(truth.map(({ distance }) => distance.toFixed(6)));
  for (const hit of hits) expect(admitted.has(hit.id)).toBe(true);
}

describe('a filter inside retrieval', () => {
  for (const [name, parameters] of [
    ['walking the graph', walking],
    ['scanning', { ...walking, scannedPerCandidate: 1_000 }],
  ] as const)
    it(`equals brute force over what the filter admits, whatever is written in between (${name})`, () => {
      fc.assert(
        fc.property(fc.array(turn, { minLength: 10, maxLength: 120 }), question, (turns, last) => {
          const index = createCorpusIndex({ space, distance: 'cosine', parameters });
          const model = new Model();
          for (const [place, said] of turns.entries()) {
            if (said === 'step') index.step();
            else if ('ask' in said) expectNearest(index, model, said.ask);
            else {
              const { id, vector, metadata } = said.write;
              const json = metadata === null ? null : JSON.stringify(metadata);
              index.apply(vector === null ? deletion(id, place + 1) : upsert(id, place + 1, vector, json));
              model.apply(said.write);
            }
          }
          expectNearest(index, model, last);
          finish(index);
          expectNearest(index, model, last);
        }),
        { numRuns: 100 },
      );
    });

  it('tells how many documents it refused: all that do not match where they were scanned', () => {
    const index = createCorpusIndex({ space, distance: 'cosine' });
    for (const [place, label] of ['a near', 'a mid', 'a far', 'b near', 'b mid', 'b far'].entries())
      index.apply(upsert(label, place + 1, Float32Array.of(1, place, 0), JSON.stringify({ label })));
    const found = index.searchWithin([1, 0, 0], 10, { filter: compileFilter({ label: ['a near', 'b near'] }) });
    expect(found.hits.map((hit) => hit.id)).toEqual(['a near', 'b near']);
    expect(found.refused).toBe(4);
  });

  it('gives the next ones where the nearest are excluded, and never those', () => {
    const vectors = clustered(1_500, 16, 30, 0.5, 2);
    const documents = new Map(vectors.map((one, place) => [`w-${place}`, one]));
    const index = createCorpusIndex({
      space: { ...space, dimension: 16 },
      distance: 'cosine',
      parameters: { exactBelow: 1_000 },
    });
    for (const [name, one] of documents) index.apply(upsert(name, 1, one));
    finish(index);
    expect(index.stats().graph).toBe(true);
    for (const query of vectors.slice(0, 10)) {
      const excludeIds: string[] = [];
      for (let page = 0; page < 12; page++) {
        const left = new Map([...documents].filter(([name]) => !excludeIds.includes(name)));
        const { hits } = index.searchWithin(query, 10, { excludeIds });
        expect(hits).toHaveLength(10);
        expect(recall(hits, bruteForce(left, query, 10, 'cosine'))).toBeGreaterThanOrEqual(0.9);
        expect(hits.some((hit) => excludeIds.includes(hit.id))).toBe(false);
        excludeIds.push(...hits.map((hit) => hit.id));
      }
    }
  });
});

describe('columns', () => {
  const filled = (count: number, fields: (slot: number) => object) => {
    const table = createDocumentTable();
    for (let slot = 0; slot < count; slot++) {
      table.add(`w-${slot}`);
      table.setContent(slot, 1, 'hash');
      table.setMetadata(slot, 1, JSON.stringify(fields(slot)));
    }
    return table;
  };
  const slotsOf = (filters: ReturnType<typeof createFilters>, asked: MetadataFilter) => [
    ...filters.match(compileFilter(asked)).slots(),
  ];

  it('are made in parts, and what is written meanwhile is in them', () => {
    const table = filled(5_000, (slot) => ({ n: slot % 2 }));
    const filters = createFilters(table);
    const asked = compileFilter({ n: 7 });
    let parts = 0;
    while (filters.prepareSome(asked)) {
      parts++;
      for (const slot of [parts, 4_000 + parts]) {
        filters.onMetadata(slot, '{"n":7}');
        table.setMetadata(slot, 2, '{"n":7}');
      }
      const fresh = table.add(`late-${parts}`);
      table.setContent(fresh, 3, 'hash');
      filters.onMetadata(fresh, '{"n":7}');
      table.setMetadata(fresh, 3, '{"n":7}');
    }
    expect(parts).toBeGreaterThan(3);
    expect(filters.match(asked).count).toBe(3 * parts);
  });

  it('stay within their limits, and a filter that names more of them is answered all the same', () => {
    const table = filled(3_000, (slot) => ({ a: slot % 3, b: slot % 5, c: `text ${slot}` }));
    const filters = createFilters(table, { columnsMax: 1, columnBytesMax: 1e9 });
    slotsOf(filters, { a: 0 });
    const one = filters.bytes;
    slotsOf(filters, { b: 0 });
    expect(filters.bytes).toBeLessThan(1.5 * one);
    expect(slotsOf(filters, { a: 0, b: 0, c: { gte: 'text 3' } }).every((slot) => slot % 15 === 0)).toBe(true);
    expect(slotsOf(filters, { a: 1, b: 1 })).toHaveLength(200);
    const small = createFilters(table, { columnsMax: 8, columnBytesMax: 1 });
    expect(slotsOf(small, { c: 'text 17' })).toEqual([17]);
    expect(slotsOf(small, { a: 2, b: 4 })).toHaveLength(200);
  });

  it('are made anew where most of what they hold is of no document any more', () => {
    const table = filled(100, () => ({ tags: ['a'] }));
    const filters = createFilters(table);
    expect(slotsOf(filters, { tags: { in: ['a'] } })).toHaveLength(100);
    for (let round = 0; round < 20_000; round++) {
      const json = JSON.stringify({ tags: [`t-${round}`, 'a'] });
      filters.onMetadata(round % 100, json);
      table.setMetadata(round % 100, round + 2, json);
    }
    const before = filters.bytes;
    expect(slotsOf(filters, { tags: { in: ['t-19999'] } })).toEqual([99]);
    expect(filters.bytes).toBeLessThan(before / 10);
  });

  it('follow many changes between two questions, and new documents', () => {
    const table = filled(100, () => ({ n: 0 }));
    const filters = createFilters(table);
    const set = (slot: number, n: number) => {
      filters.onMetadata(slot, `{"n":${n}}`);
      table.setMetadata(slot, 2, `{"n":${n}}`);
    };
    expect(slotsOf(filters, { n: 1 })).toEqual([]);
    for (const changes of [3, 1_500, 10]) {
      for (let change = 0; change < changes; change++) set(change % 100, change % 2);
      const slot = table.add(`new-${changes}`);
      table.setContent(slot, 1, 'hash');
      set(slot, 1);
      table.setContent(0, 3, changes === 10 ? null : 'hash');
      const expected = Array.from({ length: table.count }, (_, at) => at).filter(
        (at) => table.contentHash(at) !== null && table.metadataJson(at) === '{"n":1}',
      );
      expect(slotsOf(filters, { n: 1 })).toEqual(expected);
    }
  });

  it('cost nothing for a field that no document has', () => {
    const filters = createFilters(filled(2_000, () => ({ a: 1 })));
    expect(slotsOf(filters, { b: 1 })).toEqual([]);
    expect(filters.bytes).toBe(0);
    expect(slotsOf(filters, { b: { exists: false } })).toHaveLength(2_000);
  });
});
