import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createDigestTable, createNumberColumn } from './digest-table.ts';

describe('a table of digests', () => {
  it('is a map from keys to the order in which they came', () => {
    const keys = fc.array(fc.oneof(fc.string(), fc.constantFrom('a', 'b', '')), { maxLength: 200 });
    fc.assert(
      fc.property(keys, (given) => {
        const [table, map] = [createDigestTable(), new Map<string, number>()];
        for (const key of given) {
          expect(table.get(key)).toBe(map.get(key));
          const known = map.get(key);
          expect(table.put(key)).toEqual({ index: known ?? map.size, fresh: known === undefined });
          if (known === undefined) map.set(key, map.size);
        }
        expect(table.size()).toBe(map.size);
      }),
    );
  });

  it('keeps every key while it grows', () => {
    const table = createDigestTable();
    const rows = 20_000;
    for (let row = 0; row < rows; row++) table.put(`row ${row}`);
    for (let row = 0; row < rows; row++) expect(table.get(`row ${row}`)).toBe(row);
    expect(table.get(`row ${rows}`)).toBeUndefined();
    expect(table.size()).toBe(rows);
  });
});

describe('a column of numbers', () => {
  it('has 0 where nothing was set, and grows to the row that is', () => {
    const column = createNumberColumn();
    column.set(100_000, 2 ** 40);
    expect([column.get(100_000), column.get(99_999), column.get(1e9)]).toEqual([2 ** 40, 0, 0]);
  });
});
