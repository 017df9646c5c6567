import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { limits, metadataSchema } from './primitives.ts';

const nested = (levels: number): unknown => (levels === 0 ? 1 : { inner: nested(levels - 1) });

describe('metadataSchema', () => {
  it('takes JSON objects as they are', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 5 })), (value) => {
        expect(metadataSchema.safeParse(value).success).toBe(!Object.hasOwn(value, '__proto__'));
      }),
    );
  });

  it.each([null, 5, 'text', [], [{}]])('refuses %j', (value) => {
    expect(metadataSchema.safeParse(value).success).toBe(false);
  });

  it('refuses what is nested too deep to be written, without writing it', () => {
    expect(metadataSchema.safeParse(nested(limits.metadataNestingMax)).success).toBe(true);
    expect(metadataSchema.safeParse(nested(limits.metadataNestingMax + 1)).success).toBe(false);
    const bottomless: unknown = JSON.parse(`{"n":${'['.repeat(200_000)}${']'.repeat(200_000)}}`);
    expect(metadataSchema.safeParse(bottomless).error?.issues[0]?.message).toContain('nested');
  });

  it('refuses more bytes than are taken', () => {
    const overhead = JSON.stringify({ text: '' }).length;
    expect(metadataSchema.safeParse({ text: 'x'.repeat(limits.metadataBytesMax - overhead) }).success).toBe(true);
    expect(metadataSchema.safeParse({ text: 'x'.repeat(limits.metadataBytesMax - overhead + 1) }).success).toBe(false);
  });
});
