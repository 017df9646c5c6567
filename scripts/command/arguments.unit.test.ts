import { describe, expect, it } from 'vitest';
import { numberFlag } from './arguments.ts';
import { CommandError } from './errors.ts';
import { formatBytes, formatCount } from './format.ts';
import { editDistance, nearest } from './suggest.ts';
import { textTable } from './table.ts';

describe('a number of a flag', () => {
  it('is undefined where the flag was not given', () => {
    expect(numberFlag('k', undefined, { min: 1, max: 9 })).toBeUndefined();
  });

  it.each([
    ['1', 1],
    ['9', 9],
  ])('takes %j', (text, value) => {
    expect(numberFlag('k', text, { min: 1, max: 9 })).toBe(value);
  });

  it.each(['0', '10', '1.5', '', ' ', 'ten', 'NaN', 'Infinity'])('refuses %j', (text) => {
    expect(() => numberFlag('k', text, { min: 1, max: 9 })).toThrow(CommandError);
  });

  it('takes a fraction where it may', () => {
    expect(numberFlag('score', '0.25', { min: 0, max: 1, whole: false })).toBe(0.25);
  });
});

describe('a suggestion', () => {
  it.each([
    ['sersh', 'search'],
    ['stat', 'status'],
    ['in', 'ingest'],
    ['xyzzy', undefined],
  ])('for %j is %j', (typed, meant) => {
    expect(nearest(typed, ['search', 'seed', 'status', 'ingest'])).toBe(meant);
  });

  it('counts insertions, deletions and substitutions', () => {
    expect(editDistance('kitten', 'sitting')).toBe(3);
    expect(editDistance('', 'abc')).toBe(3);
    expect(editDistance('abc', 'abc')).toBe(0);
  });
});

describe('text for people', () => {
  it('writes bytes and counts', () => {
    expect([0, 1023, 1024, 20 * 1024 ** 2, 4 * 1024 ** 3].map(formatBytes)).toEqual([
      '0 B',
      '1023 B',
      '1.0 KiB',
      '20 MiB',
      '4.0 GiB',
    ]);
    expect(formatCount(1234567)).toBe('1,234,567');
  });

  it('aligns a table', () => {
    const table = textTable(
      [{ title: '#', right: true }, { title: 'id' }],
      [
        ['1', 'w-43'],
        ['10', 'w-1'],
      ],
    );
    expect(table).toBe([' #  id', ' 1  w-43', '10  w-1'].join('\n'));
  });
});
