import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lineSplitter, openLogFile } from './log-file.ts';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'lakehouse-logs-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

describe('openLogFile', () => {
  it('keeps the newest lines in two files of bounded size', () => {
    const path = join(directory, 'logs', 'index.log');
    const log = openLogFile(path, 100);
    for (let line = 0; line < 50; line += 1) log.append(`line ${line}`);
    log.close();
    const [older, newer] = [`${path}.1`, path].map((file) => readFileSync(file, 'utf8'));
    expect(readdirSync(join(directory, 'logs')).sort()).toEqual(['index.log', 'index.log.1']);
    expect(Math.max(older?.length ?? 0, newer?.length ?? 0)).toBeLessThanOrEqual(100);
    const lines = `${older}${newer}`.trimEnd().split('\n');
    expect(lines).toEqual(Array.from({ length: lines.length }, (_, i) => `line ${50 - lines.length + i}`));
  });

  it('goes on where the last one ended, its size counted', () => {
    const path = join(directory, 'index.log');
    for (const text of ['first', 'second']) {
      const log = openLogFile(path, 13);
      log.append(text);
      log.close();
    }
    expect(readFileSync(path, 'utf8')).toBe('first\nsecond\n');
    const log = openLogFile(path, 13);
    log.append('third');
    log.close();
    expect(readFileSync(path, 'utf8')).toBe('third\n');
  });
});

describe('lineSplitter', () => {
  it('gives the same lines wherever the bytes are cut', () => {
    const texts = fc.string({ unit: fc.constantFrom('a', 'é', '😀', '\n', ' '), maxLength: 60 });
    fc.assert(
      fc.property(texts, fc.array(fc.nat({ max: 200 })), (text, cuts) => {
        const bytes = Buffer.from(text);
        const bounds = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b), bytes.length];
        const lines: string[] = [];
        const splitter = lineSplitter(1_000, (line) => lines.push(line));
        for (let i = 1; i < bounds.length; i += 1) splitter.write(bytes.subarray(bounds[i - 1], bounds[i]));
        splitter.end();
        const expected = text.split('\n');
        if (expected.at(-1) === '') expected.pop();
        expect(lines).toEqual(expected);
      }),
    );
  });

  it('holds no more than the longest line', () => {
    const lines: string[] = [];
    const splitter = lineSplitter(4, (line) => lines.push(line));
    splitter.write(Buffer.from('0123456789'));
    expect(lines).toEqual(['0123', '4567']);
    splitter.write(Buffer.from('ab\nabcdefgh\n'));
    expect(lines).toEqual(['0123', '4567', '89ab', 'abcd', 'efgh']);
  });
});
