import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileMetadataFilter, type MetadataFilter } from './metadata-filter.ts';

function admits(filter: MetadataFilter | null | undefined, metadataJson: string | null): boolean {
  return compileMetadataFilter(filter)(metadataJson);
}

describe('compileMetadataFilter', () => {
  test('given six documents and label in {"a near","b near"}, then two pass', () => {
    const labels = ['a near', 'a mid', 'a far', 'b near', 'b mid', 'b far'];
    const filter = compileMetadataFilter({ label: ['a near', 'b near'] });
    expect(labels.filter((label) => filter(JSON.stringify({ label })))).toEqual(['a near', 'b near']);
  });

  test.each([
    ['1 and 1.0 are one number', { n: 1 }, '{"n":1.0}', true],
    ['1 and 1e0 are one number', { n: 1 }, '{"n":1e0}', true],
    ['0 and -0 are one number', { n: 0 }, '{"n":-0}', true],
    ['1 is not "1"', { n: 1 }, '{"n":"1"}', false],
    ['true is not 1', { n: true }, '{"n":1}', false],
    ['false equals false', { n: false }, '{"n":false}', true],
    ['null equals null', { n: null }, '{"n":null}', true],
    ['null is not a missing key', { n: null }, '{}', false],
    ['letter case counts', { state: 'IL' }, '{"state":"il"}', false],
    ['escapes are one with what they mean', { name: 'é/' }, '{"name":"\\u00e9\\/"}', true],
    ['a list means any of its elements', { state: ['IL', 'WI'] }, '{"state":"WI"}', true],
    ['a list without the value refuses', { state: ['IL', 'WI'] }, '{"state":"IN"}', false],
    ['an empty list admits nothing', { state: [] }, '{"state":"IL"}', false],
    ['a list in the metadata is not any-of', { skills: 'welding' }, '{"skills":["welding"]}', false],
    ['a list within the list compares whole', { skills: [['a', 'b']] }, '{"skills":["a","b"]}', true],
    ['order in a list counts', { skills: [['a', 'b']] }, '{"skills":["b","a"]}', false],
    [
      'objects compare without key order',
      { home: [{ a: 1, b: { c: 2, d: 3 } }] },
      '{"home":{"b":{"d":3,"c":2},"a":1.0}}',
      true,
    ],
    ['objects with another value differ', { home: [{ a: 1 }] }, '{"home":{"a":2}}', false],
    ['all keys must hold', { state: 'IL', role: 'Picker' }, '{"state":"IL","role":"Loader"}', false],
    ['all keys hold', { state: 'IL', role: 'Picker' }, '{"state":"IL","role":"Picker"}', true],
    ['an inherited name is a missing key', JSON.parse('{"__proto__":{}}'), '{}', false],
    ['a key named __proto__ is a key', JSON.parse('{"__proto__":1}'), '{"__proto__":1}', true],
  ] as const)('%s', (_name, filter, metadataJson, expected) => {
    expect(admits(filter, metadataJson)).toBe(expected);
  });

  test.each([
    ['at least', { years: { gte: 3 } }, '{"years":3}', true],
    ['more than', { years: { gt: 3 } }, '{"years":3}', false],
    ['at most', { years: { lte: 3 } }, '{"years":3.0}', true],
    ['less than', { years: { lt: 3 } }, '{"years":3}', false],
    ['from and below: within', { years: { gte: 3, lt: 10 } }, '{"years":9.5}', true],
    ['from and below: beyond', { years: { gte: 3, lt: 10 } }, '{"years":10}', false],
    ['a number is not compared with a text', { years: { gte: 3 } }, '{"years":"4"}', false],
    ['a text is not compared with a number', { years: { gte: '3' } }, '{"years":4}', false],
    ['null is not compared', { years: { lt: 3 } }, '{"years":null}', false],
    ['true is not compared', { years: { gte: 0 } }, '{"years":true}', false],
    ['dates compare as texts', { since: { gte: '2026-01-01', lt: '2027' } }, '{"since":"2026-11-21T08:00:00Z"}', true],
    ['an earlier date', { since: { gte: '2026-01-01' } }, '{"since":"2025-12-31"}', false],
    ['a missing key has no size', { years: { lt: 3 } }, '{}', false],
    ['in: one of them', { state: { in: ['IL', 'WI'] } }, '{"state":"WI"}', true],
    ['in: none of them', { state: { in: ['IL'] } }, '{"state":"WI"}', false],
    ['in: an element of a list', { skills: { in: ['TIG', 'MIG'] } }, '{"skills":["packing","MIG"]}', true],
    ['in: no element of a list', { skills: { in: ['TIG'] } }, '{"skills":["packing"]}', false],
    ['in: the list itself', { skills: { in: [['a', 'b']] } }, '{"skills":["a","b"]}', true],
    ['in: an empty list has no element', { skills: { in: ['TIG'] } }, '{"skills":[]}', false],
    ['a bound: any element', { shifts: { gte: 3 } }, '{"shifts":[1,4]}', true],
    ['both bounds: one element meets them', { shifts: { gte: 3, lt: 5 } }, '{"shifts":[1,4]}', true],
    ['both bounds: no single element does', { shifts: { gte: 3, lt: 5 } }, '{"shifts":[1,9]}', false],
    ['not: another value', { state: { not: 'IL' } }, '{"state":"WI"}', true],
    ['not: this value', { state: { not: 'IL' } }, '{"state":"IL"}', false],
    ['not: none of these', { state: { not: ['IL', 'WI'] } }, '{"state":"IN"}', true],
    ['not: one of these', { state: { not: ['IL', 'WI'] } }, '{"state":"WI"}', false],
    ['not: an element', { skills: { not: 'TIG' } }, '{"skills":["MIG","TIG"]}', false],
    ['not: no element', { skills: { not: 'TIG' } }, '{"skills":["MIG"]}', true],
    ['not: a missing key is a refusal too', { state: { not: 'IL' } }, '{}', false],
    ['not and a bound together', { years: { gte: 3, not: 5 } }, '{"years":5}', false],
    ['exists', { state: { exists: true } }, '{"state":null}', true],
    ['exists, and it does not', { state: { exists: true } }, '{}', false],
    ['exists not', { state: { exists: false } }, '{"name":1}', true],
    ['exists not, but it does', { state: { exists: false } }, '{"state":null}', false],
    ['exists not, without metadata', { state: { exists: false } }, null, true],
    ['exists not, in what is no object', { state: { exists: false } }, '[]', true],
    ['can never hold', { state: { exists: false, not: 'IL' } }, '{}', false],
    ['an operator that is not known', { state: { near: 'IL' } }, '{"state":"IL"}', false],
  ] as const)('operators: %s', (_name, filter, metadataJson, expected) => {
    expect(admits(filter, metadataJson)).toBe(expected);
  });

  test.each([null, '', '{', 'null', '1', '"label"', '[]', '["a"]', '{"label":'])(
    'metadata that is missing or no object (%j) is refused',
    (metadataJson) => {
      expect(admits({ label: ['a', null], 0: 'a' }, metadataJson)).toBe(false);
      expect(admits({ label: null }, metadataJson)).toBe(false);
    },
  );

  test.each([undefined, null, {}])(
    'an absent or empty filter (%j) admits everything, broken metadata too',
    (filter) => {
      expect([null, '{', '{"a":1}'].map(compileMetadataFilter(filter))).toEqual([true, true, true]);
    },
  );

  test('nesting deeper than the stack, in filter or metadata, is refused and does not throw', () => {
    const depth = 200_000;
    const deep = `${'['.repeat(depth)}1${']'.repeat(depth)}`;
    expect(admits({ a: [{ b: 1 }] }, `{"a":${deep}}`)).toBe(false);
    expect(admits({ a: JSON.parse(deep) }, '{"a":[1]}')).toBe(false);
  });
});

describe('laws of the filter', () => {
  const scalar = fc.oneof(
    fc.integer({ min: -2, max: 2 }),
    fc.constantFrom('a', 'b', '1'),
    fc.boolean(),
    fc.constant(null),
  );
  const key = fc.constantFrom('p', 'q', 'r');
  const metadata = fc.dictionary(key, scalar).map((value) => JSON.stringify(value));

  test('property: it never throws, whatever filter and metadata', () => {
    fc.assert(
      fc.property(fc.anything(), fc.oneof(fc.string(), fc.json(), fc.constant(null)), (value, metadataJson) => {
        expect(typeof admits({ p: value, q: [value] }, metadataJson)).toBe('boolean');
      }),
    );
  });

  test('property: every JSON object passes the filter made of its own fields, each as a one-element list', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (fields) => {
        const metadataJson = JSON.stringify(fields);
        const own: MetadataFilter = Object.fromEntries(
          Object.entries(JSON.parse(metadataJson)).map(([name, value]) => [name, [value]]),
        );
        expect(admits(own, metadataJson)).toBe(true);
      }),
    );
  });

  test('property: keys are ANDed', () => {
    fc.assert(
      fc.property(fc.dictionary(key, scalar), metadata, (filter, metadataJson) => {
        const singly = Object.entries(filter).every(([name, value]) => admits({ [name]: value }, metadataJson));
        expect(admits(filter, metadataJson)).toBe(singly);
      }),
    );
  });

  test('property: a list is the OR of its elements', () => {
    fc.assert(
      fc.property(key, fc.array(scalar), metadata, (name, values, metadataJson) => {
        const singly = values.some((value) => admits({ [name]: value }, metadataJson));
        expect(admits({ [name]: values }, metadataJson)).toBe(singly);
      }),
    );
  });
});
