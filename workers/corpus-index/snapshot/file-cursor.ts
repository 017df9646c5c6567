import { type FileHandle, open } from 'node:fs/promises';

/** Reads a file from its beginning in pieces that the reader asks for. */
export interface FileCursor {
  readonly size: number;
  /** The next bytes where they are at hand: a view, valid until the next read. */
  takeNow(bytes: number): Buffer | undefined;
  /** The next bytes, read where they are not at hand; undefined where the file has no more so many. */
  take(bytes: number): Promise<Buffer | undefined>;
  close(): Promise<void>;
}

const readAheadBytes = 1024 * 1024;

export async function openFileCursor(path: string): Promise<FileCursor> {
  const handle = await open(path, 'r');
  const { size } = await handle.stat();
  let buffer = Buffer.alloc(0);
  let read = 0;

  const takeNow = (bytes: number) => {
    if (buffer.byteLength < bytes) return undefined;
    const taken = buffer.subarray(0, bytes);
    buffer = buffer.subarray(bytes);
    return taken;
  };
  return {
    size,
    takeNow,
    take: async (bytes) => {
      if (bytes > buffer.byteLength + size - read) return undefined;
      if (bytes > buffer.byteLength) {
        const more = await readFully(handle, Math.min(size - read, Math.max(readAheadBytes, bytes)));
        read += more.byteLength;
        buffer = Buffer.concat([buffer, more]);
      }
      return takeNow(bytes);
    },
    close: () => handle.close(),
  };
}

async function readFully(handle: FileHandle, bytes: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafeSlow(bytes);
  let filled = 0;
  while (filled < bytes) {
    const { bytesRead } = await handle.read(buffer, filled, bytes - filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}
