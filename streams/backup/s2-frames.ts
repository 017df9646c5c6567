import { maskedCrc32c } from './crc32c.ts';
import { decodeS2Block, StoreFormatError } from './s2-block.ts';

/** Frames of S2: one byte of kind, three of length, then (of data) a checksum and the data, compressed or not. */
const kinds = { compressed: 0x00, plain: 0x01, skippableFrom: 0x80, padding: 0xfe, identifier: 0xff } as const;
const identifiers = ['S2sTwO', 'sNaPpY'];
const headerBytes = 4;
const checksumBytes = 4;
const frameBytesMax = 8 * 1024 * 1024;

/**
 * The bytes that were put into frames; each frame's checksum is checked.
 * @throws StoreFormatError
 */
export async function* decodeFrames(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let waiting: Buffer = Buffer.alloc(0);
  for await (const piece of pieces) {
    waiting = waiting.length === 0 ? Buffer.from(piece) : Buffer.concat([waiting, piece]);
    let at = 0;
    while (waiting.length - at >= headerBytes) {
      const bytes = waiting.readUIntLE(at + 1, 3);
      if (bytes > frameBytesMax) throw new StoreFormatError('a frame is too long');
      if (waiting.length - at < headerBytes + bytes) break;
      const data = decodeFrame(waiting[at] ?? 0, waiting.subarray(at + headerBytes, at + headerBytes + bytes));
      if (data !== undefined) yield data;
      at += headerBytes + bytes;
    }
    waiting = waiting.subarray(at);
  }
  if (waiting.length > 0) throw new StoreFormatError('the last frame breaks off');
}

function decodeFrame(kind: number, body: Buffer): Uint8Array | undefined {
  if (kind === kinds.identifier) {
    if (!identifiers.includes(body.toString('latin1'))) throw new StoreFormatError('these are no frames of S2');
    return undefined;
  }
  if (kind >= kinds.skippableFrom) return undefined;
  if (kind > kinds.plain || body.length < checksumBytes)
    throw new StoreFormatError(`there is no frame of kind ${kind}`);
  const content = body.subarray(checksumBytes);
  const data = kind === kinds.plain ? Buffer.from(content) : decodeS2Block(content);
  if (maskedCrc32c(data) !== body.readUInt32LE(0)) throw new StoreFormatError('the checksum of a frame is wrong');
  return data;
}

/** Puts bytes into frames without compressing them: they go to a server that is near, once. */
export async function* encodeFrames(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield frame(kinds.identifier, [Buffer.from(identifiers[0] ?? '', 'latin1')]);
  for await (const piece of pieces) {
    if (piece.byteLength === 0) continue;
    const checksum = Buffer.alloc(checksumBytes);
    checksum.writeUInt32LE(maskedCrc32c(piece));
    yield frame(kinds.plain, [checksum, piece]);
  }
}

function frame(kind: number, parts: readonly Uint8Array[]): Buffer {
  const header = Buffer.alloc(headerBytes);
  header[0] = kind;
  header.writeUIntLE(
    parts.reduce((sum, part) => sum + part.byteLength, 0),
    1,
    3,
  );
  return Buffer.concat([header, ...parts]);
}
