import { describe, expect, it } from 'vitest';
import { parseTable } from './onet.ts';
import { ownedTitles } from './owned-titles.ts';

const tables = {
  occupations: parseTable('O*NET-SOC Code\tTitle\tDescription\n1\tKite Makers\tx\n2\tLantern Keepers\ty\n'),
  alternateTitles: parseTable(
    'O*NET-SOC Code\tAlternate Title\n1\tMaker\n2\tMaker\n1\tMaker\n2\tWick Trimmer\n9\tOrphan\n1\tBuilder\n',
  ),
};
const reported = parseTable('O*NET-SOC Code\tReported Job Title\n1\tWick Trimmer\n2\tKeeper\n9\tOrphan\n');
const flat = (titles: readonly { query: string; codes: ReadonlySet<string> }[]) =>
  Object.fromEntries(titles.map(({ query, codes }) => [query, [...codes].sort()]));

describe('titles and whom they belong to', () => {
  it('come once each, with the occupations of both tables', () => {
    const titles = ownedTitles(tables, reported, { count: 10, seed: 1 });
    expect(titles.alternate).toHaveLength(3);
    expect(flat(titles.alternate)).toEqual({ Maker: ['1', '2'], 'Wick Trimmer': ['1', '2'], Builder: ['1'] });
    expect(flat(titles.reported)).toEqual({ 'Wick Trimmer': ['1', '2'], Keeper: ['2'] });
  });

  it('are drawn, and of a smaller draw the same first', () => {
    const draw = (count: number) =>
      ownedTitles(tables, reported, { count, seed: 3 }).alternate.map(({ query }) => query);
    expect(draw(2)).toEqual(draw(3).slice(0, 2));
  });

  it('name a column that is missing', () => {
    expect(() => ownedTitles(tables, parseTable('O*NET-SOC Code\tTitle\n1\tx\n'), { count: 1, seed: 1 })).toThrow(
      /Reported Job Title/,
    );
  });
});
