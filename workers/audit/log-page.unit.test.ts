import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { pageBytesMax, readLogPage } from './log-page.ts';

const schema = z.looseObject({ n: z.number() });
let folder: string;
let path: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lakehouse-pages-'));
  path = join(folder, 'log.jsonl');
  await writeFile(path, '{"n":1}\n{"n":2}\nno json\n{"m":4}\n{"n":5}\n{"n":6');
});
afterAll(() => rm(folder, { recursive: true }));

describe('a page of a log', () => {
  it('is its newest rows, and leads to those before them; a torn last line is none', async () => {
    const page = await readLogPage(path, schema, { limit: 2 });
    expect(page).toEqual({
      rows: [
        { sequence: 5, row: { n: 5 } },
        { sequence: 4, row: null },
      ],
      nextBefore: 4,
    });
    const rest = await readLogPage(path, schema, { limit: 3, before: 4 });
    expect(rest.rows.map(({ sequence }) => sequence)).toEqual([3, 2, 1]);
    expect(rest.nextBefore).toBeNull();
  });

  it('has only the rows that are wanted', async () => {
    const odd = await readLogPage(path, schema, { limit: 1 }, (row) => row !== null && row.n < 5);
    expect(odd).toEqual({ rows: [{ sequence: 2, row: { n: 2 } }], nextBefore: 2 });
  });

  it('is empty where there is no log', async () => {
    expect(await readLogPage(join(folder, 'none'), schema, { limit: 5 })).toEqual({ rows: [], nextBefore: null });
  });

  it('is cut shorter where its rows are long, and never empty for it', async () => {
    const long = join(folder, 'long.jsonl');
    const line = JSON.stringify({ n: 1, text: 'x'.repeat(pageBytesMax / 2) });
    await writeFile(long, `${line}\n${line}\n${JSON.stringify({ n: 3, text: 'x'.repeat(2 * pageBytesMax) })}\n`);
    expect((await readLogPage(long, schema, { limit: 10 })).rows.map(({ sequence }) => sequence)).toEqual([3]);
    const older = await readLogPage(long, schema, { limit: 10, before: 3 });
    expect(older).toMatchObject({ rows: [{ sequence: 2 }], nextBefore: 2 });
  });
});
