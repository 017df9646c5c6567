import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const rooms = ['schemas', 'streams', 'workers', 'gateway', 'scripts'];

/** The items that tests name, in any of their titles: `reference 10.47, 10.48: ...`. */
function testedItems(): Set<number> {
  const items = new Set<number>();
  for (const room of rooms)
    for (const name of readdirSync(join(root, room), { recursive: true, encoding: 'utf8' })) {
      if (!name.endsWith('.ts') || name.endsWith('reference-cases.unit.test.ts')) continue;
      const text = readFileSync(join(root, room, name), 'utf8');
      for (const [, list = ''] of text.matchAll(/reference (10\.\d+(?:(?:, | and )10\.\d+)*):/g))
        for (const [, item] of list.matchAll(/10\.(\d+)/g)) items.add(Number(item));
    }
  return items;
}

function tableRows(): Map<number, string> {
  const text = readFileSync(join(import.meta.dirname, 'README.md'), 'utf8');
  return new Map(
    [...text.matchAll(/^\| (\d+) +\|[^|]*\| ([^|]*?) *\|$/gm)].map(([, item, held = '']) => [Number(item), held]),
  );
}

describe('the cases that the original system recorded', () => {
  const rows = tableRows();
  const tested = testedItems();

  it('are all in the table, 1 to 33 and 40 to 56', () => {
    const expected = [
      ...Array.from({ length: 33 }, (_, at) => at + 1),
      ...Array.from({ length: 17 }, (_, at) => at + 40),
    ];
    expect([...rows.keys()].sort((left, right) => left - right)).toEqual(expected);
  });

  it.each([...rows])('10.%i: %s', (item, held) => {
    if (held === 'tested') expect(tested).toContain(item);
    else {
      expect(held).toMatch(/^left out: .{20,}/);
      expect(tested).not.toContain(item);
    }
  });
});
