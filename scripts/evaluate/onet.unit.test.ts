import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { evaluateHits, hitAtK, wilsonShare } from './hits.ts';
import {
  alternateTitleQueries,
  evenTitleQueries,
  exitCodeDataAbsent,
  occupations,
  onetFolderDefault,
  parseTable,
  readOnet,
} from './onet.ts';

const occupationsTsv =
  'O*NET-SOC Code\tTitle\tDescription\n' +
  '91-0001.00\tKite Makers\tMake kites of paper and string.\n' +
  '91-0002.00\tLantern Keepers\tKeep lanterns lit, and "trim" wicks.\n';
const titlesTsv =
  'O*NET-SOC Code\tAlternate Title\tShort Title\tSource(s)\n' +
  '91-0001.00\tKite Builder\tn/a\t01\n' +
  '91-0001.00\tKite Sewer\tn/a\t01\n' +
  '91-0002.00\tWick Trimmer\tn/a\t01\n' +
  '91-0009.00\tOrphan Title\tn/a\t01\n';
const tables = { occupations: parseTable(occupationsTsv), alternateTitles: parseTable(titlesTsv) };

describe('reading', () => {
  it('takes titles and descriptions as documents, quotes as they are', () => {
    expect(occupations(tables)).toEqual([
      { id: '91-0001.00', text: 'Kite Makers. Make kites of paper and string.' },
      { id: '91-0002.00', text: 'Lantern Keepers. Keep lanterns lit, and "trim" wicks.' },
    ]);
  });

  it('lesson 27: asks with what is in no document: the titles of another table', () => {
    const held = tables.alternateTitles.map((row) => ({
      ...row,
      'Alternate Title': `held out ${row['Alternate Title']}`,
    }));
    const queries = alternateTitleQueries({ ...tables, alternateTitles: held }, { count: 10, seed: 1 });
    expect(queries).toHaveLength(3);
    const texts = occupations({ ...tables, alternateTitles: held }).map(({ text }) => text);
    for (const { query } of queries) expect(texts.some((text) => text.includes(query))).toBe(false);
  });

  it('reads lines that end in CR LF', () => {
    expect(parseTable('A\tB\r\n1\t2\r\n')).toEqual([{ A: '1', B: '2' }]);
  });

  it('names a column that is missing', () => {
    expect(() => occupations({ ...tables, occupations: parseTable('Code\tTitle\n1\tx\n') })).toThrow(/O\*NET-SOC Code/);
  });

  it('reads a folder, and tells of an absent one as data', () => {
    const folder = mkdtempSync(join(tmpdir(), 'onet-'));
    try {
      const absent = readOnet(folder);
      expect(absent.kind === 'absent' && absent.message).toContain('no occupations.tsv and no alternate_titles.tsv');
      writeFileSync(join(folder, 'occupations.tsv'), occupationsTsv);
      expect(readOnet(folder).kind).toBe('absent');
      writeFileSync(join(folder, 'alternate_titles.tsv'), titlesTsv);
      expect(readOnet(folder)).toEqual({ kind: 'ready', tables });
    } finally {
      rmSync(folder, { recursive: true });
    }
    expect(exitCodeDataAbsent).toBe(3);
  });

  it('finds the default folder from below the one that holds package.json', () => {
    const folder = mkdtempSync(join(tmpdir(), 'onet-'));
    try {
      writeFileSync(join(folder, 'package.json'), '{}');
      expect(onetFolderDefault(join(folder, 'dist/scripts/evaluate'))).toBe(join(folder, '../shared/data/onet'));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('alternateTitleQueries', () => {
  it('leaves out titles of occupations that are not among the documents', () => {
    const queries = alternateTitleQueries(tables, { count: 10, seed: 1 });
    expect(queries.toSorted((one, other) => one.query.localeCompare(other.query))).toEqual([
      { query: 'Kite Builder', code: '91-0001.00' },
      { query: 'Kite Sewer', code: '91-0001.00' },
      { query: 'Wick Trimmer', code: '91-0002.00' },
    ]);
  });

  it('is the same for a seed, without repetition, and begins alike whatever the count', () => {
    const titles = Array.from({ length: 50 }, (_, at) => ({
      'O*NET-SOC Code': '91-0001.00',
      'Alternate Title': `t${at}`,
    }));
    const many = { ...tables, alternateTitles: titles };
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.integer({ min: 0, max: 60 }), (seed, count) => {
        const all = alternateTitleQueries(many, { count: 50, seed });
        const some = alternateTitleQueries(many, { count, seed });
        expect(some).toEqual(all.slice(0, count));
        expect(new Set(some.map((query) => query.query)).size).toBe(Math.min(count, 50));
      }),
    );
    expect(alternateTitleQueries(many, { count: 50, seed: 1 })).not.toEqual(
      alternateTitleQueries(many, { count: 50, seed: 2 }),
    );
  });
});

describe('evenTitleQueries', () => {
  // Ten titles of one occupation, three of another.
  const titles = Array.from({ length: 13 }, (_, at) => ({
    'O*NET-SOC Code': at < 10 ? '91-0001.00' : '91-0002.00',
    'Alternate Title': `t${at}`,
  }));
  const uneven = { ...tables, alternateTitles: titles };

  it('asks for every occupation equally often while it has titles', () => {
    for (const seed of [1, 2, 3]) {
      const codes = evenTitleQueries(uneven, { count: 6, seed }).map(({ code }) => code);
      for (const pair of [codes.slice(0, 2), codes.slice(2, 4), codes.slice(4)])
        expect(pair.toSorted()).toEqual(['91-0001.00', '91-0002.00']);
    }
  });

  it('gives every title once, and begins alike whatever the count', () => {
    const all = evenTitleQueries(uneven, { count: 50, seed: 4 });
    expect(new Set(all.map(({ query }) => query)).size).toBe(13);
    expect(all.length).toBe(13);
    for (const count of [0, 1, 5, 12])
      expect(evenTitleQueries(uneven, { count, seed: 4 })).toEqual(all.slice(0, count));
    expect(evenTitleQueries(uneven, { count: 50, seed: 5 })).not.toEqual(all);
  });
});

describe('hitAtK', () => {
  it('looks at the first k only', () => {
    expect(hitAtK(['a', 'b', 'c'], 'b', 2)).toBe(true);
    expect(hitAtK(['a', 'b', 'c'], 'c', 2)).toBe(false);
    expect(hitAtK([], 'c', 2)).toBe(false);
  });
});

describe('wilsonShare', () => {
  it('gives the known interval of 8 in 10', () => {
    const { share, low, high } = wilsonShare(8, 10);
    expect(share).toBe(0.8);
    expect(low).toBeCloseTo(0.4902, 4);
    expect(high).toBeCloseTo(0.9433, 4);
  });

  it('holds the share and stays within 0 and 1', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000 }), fc.nat(), (total, draw) => {
        const { share, low, high } = wilsonShare(draw % (total + 1), total);
        expect(low).toBeGreaterThanOrEqual(0);
        expect(high).toBeLessThanOrEqual(1);
        expect(low).toBeLessThanOrEqual(share + 1e-12);
        expect(high).toBeGreaterThanOrEqual(share - 1e-12);
      }),
    );
    expect(wilsonShare(0, 0)).toEqual({ count: 0, total: 0, share: 0, low: 0, high: 1 });
  });
});

describe('evaluateHits', () => {
  // The right answer of query n stands at rank n.
  const queries = Array.from({ length: 12 }, (_, at) => ({ query: String(at + 1), code: 'right' }));
  const search = async (query: string, k: number): Promise<string[]> =>
    Array.from({ length: k }, (_, at) => (at + 1 === Number(query) ? 'right' : `wrong-${at}`));

  it('counts hits at 1, 5 and 10, whatever the concurrency', async () => {
    for (const concurrency of [1, 4, 50]) {
      const progress: number[] = [];
      const report = await evaluateHits({ queries, search, concurrency, onProgress: (done) => progress.push(done) });
      expect(report.queries).toBe(12);
      expect([report.hitAt1.count, report.hitAt5.count, report.hitAt10.count]).toEqual([1, 5, 10]);
      expect(report.hitAt10).toEqual(wilsonShare(10, 12));
      expect(progress).toEqual(Array.from({ length: 12 }, (_, at) => at + 1));
    }
  });

  it('fails when a search fails', async () => {
    const failing = async (): Promise<string[]> => Promise.reject(new Error('away'));
    await expect(evaluateHits({ queries, search: failing })).rejects.toThrow('away');
  });
});
