import { StoreFormatError } from './s2-block.ts';

/** Files of an archive, as far as a server's store has any: regular files with short names. */
export type TarPart =
  | { readonly kind: 'file'; readonly name: string; readonly bytes: number }
  /** Part of the content of the file before it. */
  | { readonly kind: 'content'; readonly bytes: Uint8Array };

const blockBytes = 512;
const fileBytesMax = 8 ** 11;
const nameBytesMax = 100;

/**
 * Reads an archive as it comes.
 * @throws StoreFormatError
 */
export async function* readTar(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<TarPart> {
  let waiting: Buffer = Buffer.alloc(0);
  let left = 0;
  let padding = 0;
  let isSkipped = false;
  let ended = false;
  for await (const piece of pieces) {
    waiting = waiting.length === 0 ? Buffer.from(piece) : Buffer.concat([waiting, piece]);
    for (let more = true; more && !ended; ) {
      more = false;
      if (left > 0) {
        const taken = waiting.subarray(0, Math.min(left, waiting.length));
        waiting = waiting.subarray(taken.length);
        left -= taken.length;
        if (taken.length > 0 && !isSkipped) yield { kind: 'content', bytes: taken };
        more = left === 0;
      } else if (padding > 0) {
        const taken = Math.min(padding, waiting.length);
        waiting = waiting.subarray(taken);
        padding -= taken;
        more = padding === 0;
      } else if (waiting.length >= blockBytes) {
        const header = readHeader(waiting.subarray(0, blockBytes));
        waiting = waiting.subarray(blockBytes);
        ended = header === undefined;
        if (header === undefined) continue;
        left = header.bytes;
        padding = paddingOf(left);
        isSkipped = !header.isFile;
        if (header.isFile) yield { kind: 'file', name: header.name, bytes: header.bytes };
        more = true;
      }
    }
  }
  if (!ended) throw new StoreFormatError('the archive breaks off');
}

const paddingOf = (bytes: number) => (blockBytes - (bytes % blockBytes)) % blockBytes;

/** Undefined at the end of the archive; what is no file (times to the nanosecond) is passed over. */
function readHeader(block: Buffer): { name: string; bytes: number; isFile: boolean } | undefined {
  if (block.every((byte) => byte === 0)) return undefined;
  const text = (from: number, to: number) => block.subarray(from, to).toString('latin1').replace(/\0.*$/s, '');
  const bytes = Number.parseInt(text(124, 136).trim(), 8);
  if (!Number.isSafeInteger(bytes) || checksumOf(block) !== Number.parseInt(text(148, 156).trim(), 8))
    throw new StoreFormatError('a header of the archive is damaged');
  const prefix = text(345, 500);
  const name = prefix === '' ? text(0, 100) : `${prefix}/${text(0, 100)}`;
  const type = text(156, 157);
  return { name, bytes, isFile: type === '0' || type === '' };
}

function checksumOf(block: Buffer): number {
  // The checksum's own field counts as blanks.
  return block.reduce((sum, byte, at) => sum + (at >= 148 && at < 156 ? 0x20 : byte), 0);
}

export interface TarFile {
  readonly name: string;
  readonly bytes: number;
  readonly content: AsyncIterable<Uint8Array>;
}

/** Writes an archive. */
export async function* writeTar(files: Iterable<TarFile>): AsyncGenerator<Uint8Array> {
  for (const { name, bytes, content } of files) {
    yield writeHeader(name, bytes);
    let written = 0;
    for await (const piece of content) {
      written += piece.byteLength;
      yield piece;
    }
    if (written !== bytes) throw new StoreFormatError(`${name} has ${written} bytes instead of ${bytes}`);
    yield Buffer.alloc(paddingOf(bytes));
  }
  yield Buffer.alloc(2 * blockBytes);
}

function writeHeader(name: string, bytes: number): Buffer {
  if (Buffer.byteLength(name) > nameBytesMax || bytes >= fileBytesMax)
    throw new StoreFormatError(`${name} can not be written into an archive`);
  const block = Buffer.alloc(blockBytes);
  const octal = (value: number, at: number, digits: number) =>
    block.write(`${value.toString(8).padStart(digits, '0')}\0`, at, 'latin1');
  block.write(name, 0, 'utf8');
  octal(0o600, 100, 7);
  octal(0, 108, 7);
  octal(0, 116, 7);
  octal(bytes, 124, 11);
  octal(0, 136, 11);
  block.write('0', 156, 'latin1');
  block.write('ustar\u000000', 257, 'latin1');
  block.write(`${checksumOf(block).toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}
