/** What lies in a store is not what the server wrote. */
export class StoreFormatError extends Error {}

/** Larger blocks no frame holds. */
const blockBytesMax = 8 * 1024 * 1024;

/**
 * Decodes one block of S2: snappy's block format, in which a copy of offset 0 repeats the last offset, with lengths of
 * its own (github.com/klauspost/compress/tree/master/s2, `decode_other.go`).
 * @throws StoreFormatError
 */
export function decodeS2Block(source: Uint8Array): Buffer {
  const view = Buffer.from(source.buffer, source.byteOffset, source.byteLength);
  const { value: length, at: start } = readLength(view);
  const target = Buffer.allocUnsafe(length);
  let at = start;
  let written = 0;
  let offset = 0;
  while (at < view.length) {
    const tag = view[at] ?? 0;
    const kind = tag & 3;
    if (kind === 0) {
      const extra = Math.max(0, (tag >> 2) - 59);
      const bytes = (extra === 0 ? tag >> 2 : littleEndian(view, at + 1, extra)) + 1;
      at += 1 + extra;
      if (at + bytes > view.length || written + bytes > length) throw new StoreFormatError('a literal is too long');
      view.copy(target, written, at, at + bytes);
      at += bytes;
      written += bytes;
      continue;
    }
    const copy = readCopy(view, at, kind, offset);
    at = copy.at;
    offset = copy.offset;
    if (offset === 0 || offset > written || written + copy.bytes > length)
      throw new StoreFormatError('a copy leads outside of its block');
    copyWithin(target, written, offset, copy.bytes);
    written += copy.bytes;
  }
  if (written !== length) throw new StoreFormatError('a block is shorter than it says');
  return target;
}

function readLength(view: Buffer): { value: number; at: number } {
  let value = 0;
  for (let at = 0; at < 5; at++) {
    const byte = view[at];
    if (byte === undefined) break;
    value += (byte & 0x7f) * 2 ** (7 * at);
    if (byte < 0x80 && value <= blockBytesMax) return { value, at: at + 1 };
  }
  throw new StoreFormatError('a block does not tell its length');
}

function littleEndian(view: Buffer, at: number, bytes: number): number {
  if (at + bytes > view.length) throw new StoreFormatError('a block breaks off');
  return view.readUIntLE(at, bytes);
}

function readCopy(view: Buffer, at: number, kind: number, offset: number) {
  const tag = view[at] ?? 0;
  if (kind === 2) return { at: at + 3, offset: littleEndian(view, at + 1, 2), bytes: 1 + (tag >> 2) };
  if (kind === 3) return { at: at + 5, offset: littleEndian(view, at + 1, 4), bytes: 1 + (tag >> 2) };
  const bytes = (tag >> 2) & 7;
  const own = ((tag & 0xe0) << 3) | littleEndian(view, at + 1, 1);
  if (own !== 0) return { at: at + 2, offset: own, bytes: bytes + 4 };
  // A repetition of the last offset; long ones tell their length in one, two or three bytes more.
  const extra = Math.max(0, bytes - 4);
  const base = [0, 4, 256, 65_536][extra] ?? 0;
  const long = extra === 0 ? bytes : littleEndian(view, at + 2, extra) + base;
  return { at: at + 2 + extra, offset, bytes: long + 4 };
}

/** Byte by byte where source and target overlap: that is how S2 repeats. */
function copyWithin(target: Buffer, written: number, offset: number, bytes: number): void {
  if (offset >= bytes) {
    target.copyWithin(written, written - offset, written - offset + bytes);
    return;
  }
  for (let place = 0; place < bytes; place++) target[written + place] = target[written + place - offset] ?? 0;
}
