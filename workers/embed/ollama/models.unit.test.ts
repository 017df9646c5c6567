import { describe, expect, it } from 'vitest';
import { isSameModel, traitsOf } from './models.ts';

describe('traitsOf', () => {
  it.each([
    ['nomic-embed-text', 'nomic', 2048],
    ['nomic-embed-text:latest', 'nomic', 2048],
    ['nomic-embed-text:v1.5', 'nomic', 2048],
    ['nomic-embed-text-v2-moe', 'nomic', 512],
    ['someone/nomic-embed-text-v2-moe:Q6_K', 'nomic', 512],
    ['localhost:5000/library/nomic-embed-text', 'nomic', 2048],
    ['all-minilm', 'none', 512],
    ['nomic-embed-text/other', 'none', 512],
  ])('knows %s', (model, prefixScheme, textTokensMax) => {
    expect(traitsOf(model)).toEqual({ prefixScheme, textTokensMax });
  });
});

describe('isSameModel', () => {
  it('reads no tag as latest and ignores case', () => {
    expect(isSameModel('nomic-embed-text', 'Nomic-Embed-Text:latest')).toBe(true);
    expect(isSameModel('nomic-embed-text:v1.5', 'nomic-embed-text')).toBe(false);
    expect(isSameModel('nomic-embed-text', 'nomic-embed-text-v2-moe')).toBe(false);
  });
});
