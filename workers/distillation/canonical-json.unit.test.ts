import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson, canonicalSha256 } from './canonical-json.ts';

describe('canonical JSON', () => {
  it('orders keys at every depth', () => {
    expect(canonicalJson({ b: [{ d: 1, c: null }], a: 'x' })).toBe('{"a":"x","b":[{"c":null,"d":1}]}');
  });

  it('lesson 4: leaves <, > and & as they are', () => {
    expect(canonicalJson({ text: 'a < b && c > d' })).toBe('{"text":"a < b && c > d"}');
  });

  it('lesson 21: has the SHA-256 that any implementation gives', () => {
    expect(canonicalSha256({ b: 1, a: 'x' })).toBe('cdab067e9f3beb32d1252cfd63e492592fecbf591b0d08cadb24bb17f3864246');
  });

  it('lesson 2: keeps an empty string', () => {
    expect(canonicalJson({ trace_id: '' })).toBe('{"trace_id":""}');
    expect(canonicalSha256({ trace_id: '' })).not.toBe(canonicalSha256({}));
  });

  it('is one for rows that differ in the order of keys, and reads back as the same value', () => {
    const json = fc.jsonValue({ maxDepth: 4 });
    fc.assert(
      fc.property(fc.dictionary(fc.string(), json), (row) => {
        const turned = Object.fromEntries(Object.entries(row).reverse());
        expect(canonicalSha256(turned)).toBe(canonicalSha256(row));
        expect(JSON.parse(canonicalJson(row))).toEqual(JSON.parse(JSON.stringify(row)));
        expect(canonicalSha256(row)).toMatch(/^[0-9a-f]{64}$/);
      }),
    );
  });
});
