import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { maskedCrc32c } from './crc32c.ts';
import { decodeS2Block, StoreFormatError } from './s2-block.ts';
import { decodeFrames, encodeFrames } from './s2-frames.ts';
import { readTar, writeTar } from './tar.ts';

async function* cut(bytes: Uint8Array, pieceBytes: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
}
async function* of(...pieces: Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* pieces;
}
async function gather(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all);
}

const text = (value: string) => [...Buffer.from(value)];
/** A literal of less than 61 bytes. */
const literal = (value: string) => [(value.length - 1) << 2, ...text(value)];

describe('a block of S2', () => {
  it.each([
    ['a literal', [3, ...literal('abc')], 'abc'],
    ['a literal that tells its length in a byte', [70, 60 << 2, 69, ...text('x'.repeat(70))], 'x'.repeat(70)],
    [
      'a literal that tells its length in two',
      [0xac, 0x02, 61 << 2, 0x2b, 0x01, ...text('y'.repeat(300))],
      'y'.repeat(300),
    ],
    ['a copy with one byte of offset', [8, ...literal('abcd'), 0x01, 4], 'abcdabcd'],
    ['a copy with two', [6, ...literal('abc'), (2 << 2) | 2, 3, 0], 'abcabc'],
    ['a copy with four', [6, ...literal('abc'), (2 << 2) | 3, 3, 0, 0, 0], 'abcabc'],
    ['a copy that overlaps itself', [9, ...literal('a'), (7 << 2) | 2, 1, 0], 'a'.repeat(9)],
    ['a short repetition', [12, ...literal('abcd'), 0x01, 4, 0x01, 0], 'abcdabcdabcd'],
    [
      'a repetition that tells its length in a byte',
      [18, ...literal('ab'), 0x01, 2, (5 << 2) | 1, 0, 4],
      'ab'.repeat(9),
    ],
    ['one in two bytes', [0x8c, 0x02, ...literal('abcd'), 0x01, 4, (6 << 2) | 1, 0, 0, 0], 'abcd'.repeat(67)],
    ['one in three', [0x8c, 0x80, 0x04, ...literal('abcd'), 0x01, 4, (7 << 2) | 1, 0, 0, 0, 0], 'abcd'.repeat(16_387)],
  ])('has %s', (_, bytes, expected) => {
    expect(decodeS2Block(Uint8Array.from(bytes)).toString()).toBe(expected);
  });

  it.each([
    ['nothing', []],
    ['a length without end', [0xff, 0xff, 0xff, 0xff, 0xff]],
    ['a length that is too large', [0x80, 0x80, 0x80, 0x80, 0x01]],
    ['a literal that breaks off', [3, 2 << 2, 97]],
    ['a literal behind the end', [2, ...literal('abc')]],
    ['a copy from before the beginning', [8, ...literal('abcd'), 0x01, 9]],
    ['a repetition of nothing', [8, ...literal('abcd'), 0x01, 0]],
    ['less than it says', [9, ...literal('abcd')]],
    ['a copy that breaks off', [9, ...literal('abcd'), 2]],
  ])('is refused with %s', (_, bytes) => {
    expect(() => decodeS2Block(Uint8Array.from(bytes))).toThrow(StoreFormatError);
  });
});

describe('frames', () => {
  it('have the checksum of the standard', () => {
    // CRC-32C of "123456789" is 0xe3069283.
    const crc = 0xe3069283;
    expect(maskedCrc32c(Buffer.from('123456789'))).toBe((((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0);
  });

  it('give back what was put in, however they are cut; and no bit may flip', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 5 }),
        fc.integer({ min: 1, max: 50 }),
        fc.nat(),
        async (pieces, pieceBytes, place) => {
          const framed = await gather(encodeFrames(of(...pieces)));
          expect(await gather(decodeFrames(cut(framed, pieceBytes)))).toEqual(Buffer.concat(pieces));
          const bit = place % (framed.length * 8);
          const flipped = Buffer.from(framed);
          flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
          const read = await gather(decodeFrames(cut(flipped, pieceBytes))).catch((error: unknown) => error);
          // A kind that may be skipped is skipped: the archive inside then breaks off.
          if (Buffer.isBuffer(read))
            expect(read.equals(Buffer.concat(pieces)) && read.length > 0 && bit >= 80).toBe(false);
          else expect(read).toBeInstanceOf(StoreFormatError);
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe('an archive', () => {
  const files = fc.array(
    fc.record({ name: fc.stringMatching(/^[a-z0-9/.]{1,40}$/), content: fc.uint8Array({ maxLength: 1_600 }) }),
    { maxLength: 5 },
  );

  it('gives back its files, however it is cut', async () => {
    await fc.assert(
      fc.asyncProperty(files, fc.integer({ min: 1, max: 700 }), async (given, pieceBytes) => {
        const archive = await gather(
          writeTar(given.map(({ name, content }) => ({ name, bytes: content.length, content: of(content) }))),
        );
        const found: { name: string; content: Buffer }[] = [];
        for await (const part of readTar(cut(archive, pieceBytes))) {
          const last = found.at(-1);
          if (part.kind === 'file') found.push({ name: part.name, content: Buffer.alloc(0) });
          else if (last !== undefined) last.content = Buffer.concat([last.content, part.bytes]);
        }
        expect(found).toEqual(given.map(({ name, content }) => ({ name, content: Buffer.from(content) })));
      }),
      { numRuns: 100 },
    );
  });

  it('is refused when it breaks off, is damaged, or is not as long as it says', async () => {
    const archive = await gather(writeTar([{ name: 'a', bytes: 600, content: of(Buffer.alloc(600)) }]));
    const read = async (bytes: Uint8Array) => {
      for await (const _ of readTar(cut(bytes, 512)));
    };
    await read(archive);
    await expect(read(archive.subarray(0, 1_000))).rejects.toThrow(StoreFormatError);
    const damaged = Buffer.from(archive);
    damaged[130] = 0x31;
    await expect(read(damaged)).rejects.toThrow(StoreFormatError);
    await expect(gather(writeTar([{ name: 'a', bytes: 5, content: of(Buffer.alloc(4)) }]))).rejects.toThrow(
      'instead of 5',
    );
  });
});
