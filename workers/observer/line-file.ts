import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncFolder } from './files.ts';

const lineFeed = 0x0a;
const scanBytes = 256 * 1024;
const unfinishedBytesMax = 64 * 1024 * 1024;

/** What lies in a file of lines. A line is whatever ends with a line feed, an empty one too. */
export interface LineScan {
  readonly lines: number;
  /** Where the last complete line ends, its line feed counted: what lies behind is part of a line. */
  readonly endBytes: number;
  readonly sizeBytes: number;
  /** The bytes of the last complete line without its line feed; undefined where there is none. */
  readonly lastLine: Uint8Array | undefined;
  /** What lies behind the last complete line, as far as a message can be long. */
  readonly unfinished: Uint8Array;
}

/** Opens a file for reading and writing at any place; makes it, and its folder, where it is not there. */
export async function openLineFile(path: string): Promise<FileHandle> {
  const folder = dirname(path);
  await mkdir(folder, { recursive: true });
  try {
    return await open(path, 'r+');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const file = await open(path, 'wx+');
  await syncFolder(folder);
  return file;
}

/** Counts the lines of a file, reading it once from its beginning. */
export async function scanLines(file: FileHandle): Promise<LineScan> {
  const chunk = Buffer.allocUnsafe(scanBytes);
  let sizeBytes = 0;
  let lines = 0;
  let lastBegin = 0;
  let endBytes = 0;
  for (;;) {
    const { bytesRead } = await file.read(chunk, 0, scanBytes, sizeBytes);
    if (bytesRead === 0) break;
    const read = chunk.subarray(0, bytesRead);
    for (let at = read.indexOf(lineFeed); at !== -1; at = read.indexOf(lineFeed, at + 1)) {
      lines++;
      lastBegin = endBytes;
      endBytes = sizeBytes + at + 1;
    }
    sizeBytes += bytesRead;
  }
  const lastLine = lines === 0 ? undefined : await readAt(file, lastBegin, endBytes - 1 - lastBegin);
  const unfinished = await readAt(file, endBytes, Math.min(unfinishedBytesMax, sizeBytes - endBytes));
  return { lines, endBytes, sizeBytes, lastLine, unfinished };
}

async function readAt(file: FileHandle, position: number, bytes: number): Promise<Uint8Array> {
  const buffer = Buffer.alloc(bytes);
  let read = 0;
  while (read < bytes) {
    const { bytesRead } = await file.read(buffer, read, bytes - read, position + read);
    if (bytesRead === 0) throw new Error('the file became shorter while it was read');
    read += bytesRead;
  }
  return buffer;
}

/** Writes all the bytes at one place; the system may take them in parts. */
export async function writeAt(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    const { bytesWritten } = await file.write(bytes, written, bytes.length - written, position + written);
    written += bytesWritten;
  }
}
