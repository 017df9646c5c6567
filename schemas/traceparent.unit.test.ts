import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatTraceparent, parseTraceparent, readTraceparent } from './traceparent.ts';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const spanId = '00f067aa0ba902b7';
const given = `00-${traceId}-${spanId}-01`;

describe('traceparent', () => {
  it('reads the example of the specification', () => {
    expect(parseTraceparent(given)).toEqual({ traceId, spanId, sampled: true });
    expect(parseTraceparent(`00-${traceId}-${spanId}-00`)?.sampled).toBe(false);
  });

  it.each([
    ['an empty text', ''],
    ['capitals', given.toUpperCase()],
    ['no trace', `00-${'0'.repeat(32)}-${spanId}-01`],
    ['no span', `00-${traceId}-${'0'.repeat(16)}-01`],
    ['a version that is none', `ff-${traceId}-${spanId}-01`],
    ['more fields in version 00', `${given}-more`],
    ['a short trace', `00-${traceId.slice(1)}-${spanId}-01`],
    ['white space', ` ${given}`],
    ['a line feed behind', `${given}\n`],
    ['a second header behind', `${given}\r\nx: y`],
    ['a number', 7],
    ['a list', [given]],
    ['endless fields of a later version', `01-${traceId}-${spanId}-01-${'x'.repeat(10_000)}`],
  ])('ignores %s', (_, text) => {
    expect(readTraceparent(text)).toBeUndefined();
  });

  it('takes what it knows of a later version, and passes that on alone', () => {
    expect(readTraceparent(`01-${traceId}-${spanId}-03-more`)).toBe(given);
  });

  it('reads what it writes, and never fails', () => {
    const hex = (length: number) =>
      fc
        .array(fc.constantFrom(...'0123456789abcdef'), { minLength: length, maxLength: length })
        .map((digits) => digits.join(''))
        .filter((text) => !/^0+$/.test(text));
    fc.assert(
      fc.property(hex(32), hex(16), fc.boolean(), (trace, span, sampled) => {
        const context = { traceId: trace, spanId: span, sampled };
        expect(parseTraceparent(formatTraceparent(context))).toEqual(context);
      }),
    );
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(parseTraceparent(text)).toBeUndefined();
      }),
    );
  });
});
