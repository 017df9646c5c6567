import { Tokenizer } from '@huggingface/tokenizers';
import { describe, expect, it } from 'vitest';
import { findModelPaths, readTokenizer } from './files.ts';
import { miniLmLimits } from './limits.ts';
import { createTokenize } from './tokenizer.ts';

describe('createTokenize', async () => {
  const json = await readTokenizer((await findModelPaths()).tokenizerPath);
  const tokenize = createTokenize(json);
  const whole = new Tokenizer(JSON.parse(json), {});
  const { textTokensMax } = miniLmLimits;

  it('gives the tokens of a text between [CLS] and [SEP], without padding', () => {
    expect(tokenize('Forklift operator in Aurora')).toEqual({
      tokens: [101, 9292, 18412, 6872, 1999, 13158, 102],
      truncated: false,
    });
  });

  it('cuts at 256 tokens, the last of which is [SEP], and says so', () => {
    const fits = tokenize('operator '.repeat(textTokensMax - 2));
    expect(fits).toMatchObject({ truncated: false });
    expect(fits.tokens).toHaveLength(textTokensMax);
    const beyond = tokenize('operator '.repeat(textTokensMax - 1));
    expect(beyond).toEqual({ tokens: fits.tokens, truncated: true });
  });

  it.each([
    ['sentences', 'Certified reach-truck operator, second shift, Aurora IL. '.repeat(2000)],
    ['wide gaps', `packer${' '.repeat(5000)}`.repeat(600)],
    ['words that become one unknown token', `${'x'.repeat(3000)} `.repeat(400)],
    ['one word without an end', 'é'.repeat(100_000)],
  ])('reads only as much of a long text as it needs: %s', (_name, text) => {
    const ids = whole.encode(text).ids;
    const { tokens, truncated } = tokenize(text);
    expect(truncated).toBe(ids.length > textTokensMax);
    expect(tokens.slice(0, -1)).toEqual(ids.slice(0, Math.min(ids.length, textTokensMax) - 1));
  });
});
