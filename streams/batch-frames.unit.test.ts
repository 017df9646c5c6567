import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeFrames, encodeFrames as encodeDrafts, type Frame, headerLines, isFramed } from './batch-frames.ts';

const encodeFrames = (given: readonly Frame[]) =>
  encodeDrafts(given.map((frame) => ({ ...frame, headers: headerLines(frame.headers) })));

const frames = fc.array(
  fc.record({
    correlation: fc.integer({ min: 0, max: 0xffffffff }),
    status: fc.constantFrom(0, 200, 404, 503),
    headers: fc.dictionary(
      fc.constantFrom('X-A', 'X-Position'),
      fc.string().map((text) => text.replace(/[\r\n]/g, '')),
    ),
    body: fc.uint8Array({ maxLength: 64 }),
  }),
  { maxLength: 5 },
);

describe('frames', () => {
  it('come back as they were written', () => {
    fc.assert(
      fc.property(frames, (given) => {
        const read = decodeFrames(encodeFrames(given));
        expect(read?.map((frame) => ({ ...frame, body: [...frame.body], headers: { ...frame.headers } }))).toEqual(
          given.map((frame) => ({ ...frame, body: [...frame.body], headers: { ...frame.headers } })),
        );
      }),
    );
  });

  it('take bodies as text', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' })), (bodies) => {
        const read = decodeFrames(
          encodeDrafts(bodies.map((body, correlation) => ({ correlation, status: 200, headers: '', body }))),
        );
        expect(read?.map(({ body }) => Buffer.from(body).toString('utf8'))).toEqual(bodies);
      }),
    );
  });

  it('refuse headers that do not fit', () => {
    const headers = headerLines({ a: 'x'.repeat(65_536) });
    expect(() => encodeDrafts([{ correlation: 1, status: 0, headers, body: '' }])).toThrow(RangeError);
  });

  it('are not read from a message that was cut', () => {
    fc.assert(
      fc.property(frames, fc.nat(), (given, cut) => {
        const whole = encodeFrames(given);
        const part = whole.subarray(0, 1 + (cut % whole.length));
        const read = decodeFrames(part);
        expect(part.length === whole.length || read === undefined || read.length < given.length).toBe(true);
      }),
    );
  });

  it('are told from a request that came by itself, which is a text', () => {
    fc.assert(
      fc.property(frames, fc.string({ unit: 'binary' }), (given, request) => {
        const single = Buffer.from(request.trim(), 'utf8');
        expect([isFramed(encodeFrames(given)), isFramed(single)]).toEqual([true, false]);
        expect(decodeFrames(single)).toBeUndefined();
      }),
    );
    expect([new Uint8Array(), Buffer.from('{}'), Buffer.from([0, 0x4c, 0x48])].map(isFramed)).toEqual(
      Array(3).fill(false),
    );
  });

  it('keep a line feed in a header from becoming another header', () => {
    const [read] =
      decodeFrames(encodeFrames([{ correlation: 1, status: 0, headers: { a: 'x\nb: y' }, body: new Uint8Array() }])) ??
      [];
    expect(read?.headers).toEqual({ a: 'x b: y' });
  });
});
