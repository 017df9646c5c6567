import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { arrayElements } from './array-elements.ts';

function cut(text: string): string[] | undefined {
  return arrayElements(Buffer.from(text, 'utf8'))?.map((element) => Buffer.from(element).toString('utf8'));
}

/** What a strict parser would say: the elements, each read by itself. */
function readByElement(text: string): unknown[] | undefined {
  try {
    return cut(text)?.map((element) => JSON.parse(element) as unknown);
  } catch {
    return undefined;
  }
}

function readWhole(text: string): unknown[] | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

describe('arrayElements', () => {
  it('leaves the bytes of an element as they were written', () => {
    expect(cut(' [ {"id" : "a,]",\t"n":1.50e0} ,"\\"]" , 12345678901234567890]\n')).toEqual([
      '{"id" : "a,]",\t"n":1.50e0}',
      '"\\"]"',
      '12345678901234567890',
    ]);
  });

  it('reads an empty array', () => {
    expect(cut('[ ]')).toEqual([]);
  });

  it.each(['', '{}', '[', '[1', '[1,]', '[,1]', '[1,,2]', '[1]]', '[1] x', '["]', '[}', '[1}', '[{]', '[{"a":"]'])(
    'does not take %j',
    (text) => {
      expect(cut(text)).toBeUndefined();
    },
  );

  it('agrees with JSON.parse on every array', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), fc.constantFrom(undefined, 1, '\t'), (values, indent) => {
        const text = JSON.stringify(values, undefined, indent);
        expect(readByElement(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  it('agrees with JSON.parse on what is no array, or not quite one', () => {
    const piece = fc.constantFrom('[', ']', '{', '}', ',', ':', '"', '\\', '"a"', '1', ' ', 'null', '"a":1', '[]');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const text = `[${pieces.join('')}]`;
        expect(readByElement(text)).toEqual(readWhole(text));
      }),
      { numRuns: 5_000 },
    );
  });
});
