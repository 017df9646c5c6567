import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeEvidence } from '../../workers/distillation/evidence/make-evidence.ts';
import { isEvidenceStem } from '../../workers/distillation/evidence/sources.ts';
import { writeEvidenceRows } from './evidence-rows.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lakehouse-rows-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function written(name: string, seed: number): Promise<Map<string, string>> {
  const directory = join(folder, name);
  const bytes = await writeEvidenceRows(directory, { rows: 400, seed });
  const files = new Map<string, string>();
  for (const file of await readdir(directory)) files.set(file, await readFile(join(directory, file), 'utf8'));
  expect([...files.values()].join('')).toHaveLength(bytes);
  return files;
}

it('writes the same rows for the same seed, and every one of them becomes evidence or is left out for its time', async () => {
  const files = await written('first', 1);
  expect(await written('again', 1)).toEqual(files);
  expect(await written('other', 2)).not.toEqual(files);
  let rows = 0;
  for (const [file, text] of files) {
    const stem = file.replace('.jsonl', '');
    if (!isEvidenceStem(stem)) throw new Error(`${stem} is no source`);
    for (const [lineOffset, line] of text.trim().split('\n').entries()) {
      rows++;
      const made = makeEvidence({ stem, lineOffset, text: line }, '2026-04-27T06:00:00.000Z');
      if ('skip' in made) expect(made.skip.errors.join()).toContain('reviewed_at');
    }
  }
  expect(rows).toBe(400);
});
