import { describe, expect, it } from 'vitest';
import { tokenize } from './tokenize.ts';

describe('tokens', () => {
  it.each([
    ['Forklift Operators, operating', ['forklift', 'oper', 'oper']],
    ['OSHA-30', ['osha', '30', 'osha30']],
    ['OSHA30', ['osha30']],
    ['OSHA 30', ['osha', '30']],
    ['CNC', ['cnc']],
    ['ISO 9001:2015', ['iso', '9001', '2015', '90012015']],
    ['w-4411', ['w', '4411', 'w4411']],
    ['T-shirt', ['t', 'shirt', 'tshirt']],
    ['pick-and-place', ['pick', 'and', 'place']],
    ["driver's license", ['driver', 'licens']],
    ['O’Brien', ['o', 'brien', 'obrien']],
    ['C++ and C#', ['c++', 'c', 'and', 'c#', 'c']],
    ['José ŁÓDŹ', ['jose', 'łodz']],
    ['ﬁtter', ['fitter']],
    ['слесарь', ['слесарь']],
    ['end.Start', ['end', 'start']],
    ['-- !?', []],
    ['', []],
  ])('%s', (text, tokens) => {
    expect(tokenize(text)).toEqual(tokens);
  });

  it('are cut where they are longer than a word', () => {
    expect(tokenize('9'.repeat(1_000))).toEqual(['9'.repeat(64)]);
  });
});
