import { readFileSync } from 'node:fs';
import { Tokenizer } from '@huggingface/tokenizers';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findModelPaths } from '../minilm/files.ts';
import { cutToTokens, estimateTokens } from './token-budget.ts';

const anyText = fc.string({ unit: 'binary', maxLength: 400 });

describe('cutToTokens', () => {
  it('leaves a text alone that fits exactly and cuts one that does not', () => {
    expect(cutToTokens('abc abc', 4)).toEqual({ text: 'abc abc', truncated: false });
    expect(cutToTokens('abc abc a', 4)).toEqual({ text: 'abc abc', truncated: true });
    expect(cutToTokens('abcd', 3)).toEqual({ text: 'abc', truncated: true });
  });

  it('never cuts a character in two', () => {
    expect(cutToTokens('🚜🚜', 2 + 3)).toEqual({ text: '🚜', truncated: true });
    expect(cutToTokens('🚜🚜', 2 + 5)).toEqual({ text: '🚜', truncated: true });
  });

  it('gives a beginning of the text within the budget, and says so exactly where something is gone', () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 5, max: 100 }), (text, tokensMax) => {
        const cut = cutToTokens(text, tokensMax);
        expect(text.startsWith(cut.text)).toBe(true);
        expect(estimateTokens(cut.text)).toBeLessThanOrEqual(tokensMax);
        expect(cut.truncated).toBe(estimateTokens(text) > tokensMax);
        if (!cut.truncated) expect(cut.text).toBe(text);
      }),
    );
  });
});

describe('estimateTokens', async () => {
  // The vocabulary of BERT, which nomic-embed-text uses as well.
  const { tokenizerPath } = await findModelPaths();
  const tokenizer = new Tokenizer(JSON.parse(readFileSync(tokenizerPath, 'utf8')), {});

  it.each([
    ['English', 'Need 3 Forklift Operators in Aurora IL, certified on reach trucks and counterbalance; second shift.'],
    [
      'long words',
      'Electromechanical troubleshooting, polytetrafluoroethylene extrusion, otorhinolaryngology scheduling.',
    ],
    ['German', 'Gabelstaplerfahrer für die Nachtschicht gesucht, Führerscheine und Überstunden erwünscht.'],
    ['Polish', 'Operator wózka widłowego, zmiana nocna, praca w okolicy Łodzi, umiejętność obsługi żurawia.'],
    ['Russian', 'Нужны три оператора погрузчика в Авроре на вторую смену.'],
    ['Chinese', '我们正在寻找叉车操作员，需要夜班经验。'],
    ['Korean', '지게차 운전사 세 명을 찾습니다. 야간 근무가 가능해야 합니다.'],
    ['identifiers', 'w-00481 550e8400-e29b-41d4-a716-446655440000 (606) 555-0199 2024-11-21T04:01:00Z'],
    ['table', '| role | site |\n|---|---|\n| CNC | Detroit |\n'],
    ['emoji', '🚜🏗️😀 loader wanted!!!'],
  ])('is not below what WordPiece makes of %s', (_name, text) => {
    const actual = tokenizer.encode(text).ids.length;
    expect(estimateTokens(text)).toBeGreaterThanOrEqual(actual);
    expect(actual).toBeGreaterThan(5);
  });
});
