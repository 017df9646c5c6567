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
      { home: { a: 1, b: { c: 2, d: 3 } } },
      '{"home":{"b":{"d":3,"c":2},"a":1.0}}',
      true,
    ],
    ['objects with another value differ', { home: { a: 1 } }, '{"home":{"a":2}}', false],
    ['all keys must hold', { state: 'IL', role: 'Picker' }, '{"state":"IL","role":"Loader"}', false],
    ['all keys hold', { state: 'IL', role: 'Picker' }, '{"state":"IL","role":"Picker"}', true],
    ['an inherited name is a missing key', JSON.parse('{"__proto__":{}}'), '{}', false],
    ['a key named __proto__ is a key', JSON.parse('{"__proto__":1}'), '{"__proto__":1}', true],
  ] as const)('%s', (_name, filter, metadataJson, expected) => {
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
