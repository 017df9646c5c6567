import { open } from 'node:fs/promises';

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

/** One buffer serves the whole file: a fresh one for each read would pile up faster than it is collected. */
export async function openFileCursor(path: string): Promise<FileCursor> {
  const handle = await open(path, 'r');
  const { size } = await handle.stat();
  let buffer = Buffer.allocUnsafeSlow(Math.min(size, 2 * readAheadBytes));
  let [start, end, read] = [0, 0, 0];

  const takeNow = (bytes: number) => {
    if (end - start < bytes) return undefined;
    start += bytes;
    return buffer.subarray(start - bytes, start);
  };
  /** Moves what is left to the front, and fills up behind it. */
  const fill = async (bytes: number) => {
    const left = end - start;
    const wanted = left + Math.min(size - read, Math.max(readAheadBytes, bytes - left));
    const roomy = wanted <= buffer.byteLength ? buffer : Buffer.allocUnsafeSlow(wanted);
    buffer.copy(roomy, 0, start, end);
    [buffer, start, end] = [roomy, 0, left];
    while (end < wanted) {
      const { bytesRead } = await handle.read(buffer, end, wanted - end);
      if (bytesRead === 0) break;
      end += bytesRead;
      read += bytesRead;
    }
  };
  return {
    size,
    takeNow,
    take: async (bytes) => {
      if (bytes > end - start + size - read) return undefined;
      if (bytes > end - start) await fill(bytes);
      return takeNow(bytes);
    },
    close: () => handle.close(),
  };
}
