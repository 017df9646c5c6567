import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareIds } from '../../corpus-index/id-order.ts';
import { pageOf } from './page.ts';

const ids = fc.uniqueArray(fc.string({ unit: 'binary', minLength: 1, maxLength: 6 }), { maxLength: 40 });

describe('pages', () => {
  it('hold every row once and in order, whatever their length', () => {
    fc.assert(
      fc.property(ids, fc.integer({ min: 1, max: 12 }), (all, limit) => {
        const rows = all.map((id) => ({ id }));
        const seen: string[] = [];
        for (let cursor: string | undefined; ; ) {
          const page = pageOf(rows, { limit, cursor });
          expect(page.rows.length).toBeLessThanOrEqual(limit);
          seen.push(...page.rows.map(({ id }) => id));
          if (page.nextCursor === null) break;
          expect(page.rows).toHaveLength(limit);
          cursor = page.nextCursor;
        }
        expect(seen).toEqual([...all].sort(compareIds));
      }),
    );
  });

  it('are moved by nothing that comes or goes outside of them', () => {
    const rows = (text: string) => [...text].map((id) => ({ id }));
    const first = pageOf(rows('bdfh'), { limit: 2 });
    expect(first.rows.map(({ id }) => id)).toEqual(['b', 'd']);
    const next = pageOf(rows('abfgh'), { limit: 2, cursor: first.nextCursor ?? '' });
    expect(next.rows.map(({ id }) => id)).toEqual(['f', 'g']);
  });
});
