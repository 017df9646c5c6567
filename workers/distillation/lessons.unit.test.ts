import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const rooms = ['schemas', 'streams', 'workers', 'gateway', 'scripts'];
const lessonsMax = 33;

/** The lessons that titles of tests name: `lesson 4: ...`, `lessons 12 and 14: ...`, `lesson 18, reference 10.50: ...`. */
function testedLessons(): Set<number> {
  const lessons = new Set<number>();
  for (const room of rooms)
    for (const name of readdirSync(join(root, room), { recursive: true, encoding: 'utf8' })) {
      if (!name.endsWith('.test.ts') || name.endsWith('lessons.unit.test.ts')) continue;
      const text = readFileSync(join(root, room, name), 'utf8');
      for (const [, list = ''] of text.matchAll(/'lessons? (\d+(?:(?:, | and )\d+)*)(?:, reference [\d., ]+)?:/g))
        for (const [lesson] of list.matchAll(/\d+/g)) lessons.add(Number(lesson));
    }
  return lessons;
}

function tableRows(): Map<number, string> {
  const text = readFileSync(join(import.meta.dirname, 'lessons.md'), 'utf8');
  return new Map(
    [...text.matchAll(/^\| (\d+) +\|[^|]*\| ([^|]*?) *\|$/gm)].map(([, lesson, held = '']) => [Number(lesson), held]),
  );
}

describe('the lessons of the original', () => {
  const rows = tableRows();
  const tested = testedLessons();

  it('are all in the table', () => {
    expect([...rows.keys()]).toEqual(Array.from({ length: lessonsMax }, (_, at) => at + 1));
    expect(Math.max(...tested)).toBeLessThanOrEqual(lessonsMax);
  });

  it.each([...rows])('%i: %s', (lesson, held) => {
    if (held === 'tested') expect(tested).toContain(lesson);
    else {
      expect(held).toMatch(/^left out: .{20,}/);
      expect(tested).not.toContain(lesson);
    }
  });
});
