import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

const lineFeed = 0x0a;

/** One line of a file: its bytes without the line feed, and where they begin. */
export interface FileLine {
  readonly text: string;
  readonly offset: number;
  readonly length: number;
  /** A last line without a line feed: a crash tore it, or somebody writes it at this moment. */
  readonly torn?: true;
}

/** Bytes that one line may have; a longer one is a fault of the file. */
export const lineBytesMax = 16 * 1024 * 1024;

/**
 * The lines of a file, read as they are asked for. A file that is not there has none.
 * @param torn what becomes of a last line without a line feed
 * @throws RangeError where a line is longer than `lineBytesMax`
 */
export async function* readLines(
  path: string,
  torn: 'left out' | 'given' = 'left out',
): AsyncGenerator<FileLine, void, void> {
  if (!(await exists(path))) return;
  let offset = 0;
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let from = 0;
    for (let end = bytes.indexOf(lineFeed); end >= 0; end = bytes.indexOf(lineFeed, from)) {
      const length = end - from;
      if (length > 0) yield { text: bytes.toString('utf8', from, end), offset: offset + from, length };
      from = end + 1;
    }
    rest = bytes.subarray(from);
    offset += from;
    if (rest.length > lineBytesMax) throw new RangeError(`${path} has a line of more than ${lineBytesMax} bytes`);
  }
  if (torn === 'given' && rest.length > 0)
    yield { text: rest.toString('utf8'), offset, length: rest.length, torn: true };
}

/** A line of a file that distillation writes is no JSON object: somebody else wrote there, or the disk lost it. */
export class JsonLineError extends Error {
  readonly path: string;
  /** Counted from 1. */
  readonly line: number;
  constructor(path: string, line: number) {
    super(`${path}, line ${line} is no JSON object`);
    this.name = 'JsonLineError';
    this.path = path;
    this.line = line;
  }
}

/** The rows of a file that this system wrote, taken at its word. @throws JsonLineError at the first that is no object */
export async function* readRows<Row extends object>(
  path: string,
): AsyncGenerator<FileLine & { readonly row: Row }, void, void> {
  let number = 0;
  for await (const line of readLines(path)) {
    number++;
    yield { ...line, row: parseRow<Row>(line.text) ?? throwLine(path, number) };
  }
}

function parseRow<Row extends object>(text: string): Row | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Row) : undefined;
  } catch {
    return undefined;
  }
}

function throwLine(path: string, line: number): never {
  throw new JsonLineError(path, line);
}

async function exists(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch (error) {
    if (isAbsent(error)) return false;
    throw error;
  }
}

export function isAbsent(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

/** Lines of a file by where they stand, for reading them again in any order. */
export interface LineReader {
  read(line: Pick<FileLine, 'offset' | 'length'>): Promise<string>;
  close(): Promise<void>;
}

export async function openLines(path: string): Promise<LineReader> {
  const file = await open(path, 'r');
  return {
    read: async ({ offset, length }) => {
      const bytes = Buffer.alloc(length);
      const { bytesRead } = await file.read(bytes, 0, length, offset);
      if (bytesRead !== length) throw new Error(`${path} became shorter while it was read`);
      return bytes.toString('utf8');
    },
    close: () => file.close(),
  };
}

/** Appends lines; they are on disk once `close` has returned. */
export interface LineWriter {
  append(value: unknown): Promise<void>;
  close(): Promise<void>;
}

const bufferedBytesMax = 256 * 1024;

/** Opens a file for appending, a last line that a crash tore cut off first. The folder is made where it is missing. */
export async function appendLines(path: string): Promise<LineWriter> {
  await mkdir(dirname(path), { recursive: true });
  const file = await open(path, 'a+');
  await cutTornLine(file);
  let buffered: string[] = [];
  let bytes = 0;
  const flush = async () => {
    if (buffered.length === 0) return;
    const text = buffered.join('');
    buffered = [];
    bytes = 0;
    await file.appendFile(text, 'utf8');
  };
  return {
    append: async (value) => {
      const line = `${JSON.stringify(value)}\n`;
      buffered.push(line);
      bytes += line.length;
      if (bytes >= bufferedBytesMax) await flush();
    },
    close: async () => {
      try {
        await flush();
        await file.sync();
      } finally {
        await file.close();
      }
    },
  };
}

async function cutTornLine(file: FileHandle): Promise<void> {
  const { size } = await file.stat();
  const chunk = Buffer.alloc(64 * 1024);
  for (let end = size; end > 0; ) {
    const from = Math.max(0, end - chunk.length);
    const { bytesRead } = await file.read(chunk, 0, end - from, from);
    const at = chunk.subarray(0, bytesRead).lastIndexOf(lineFeed);
    if (at >= 0) {
      if (from + at + 1 < size) await file.truncate(from + at + 1);
      return;
    }
    end = from;
  }
  if (size > 0) await file.truncate(0);
}

/** A file's bytes as SHA-256, and its lines. A file that is not there is an empty one. */
export async function describeFile(path: string): Promise<{ sha256: string; records: number }> {
  const hash = createHash('sha256');
  let records = 0;
  if (await exists(path))
    for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
      hash.update(chunk);
      for (let at = chunk.indexOf(lineFeed); at >= 0; at = chunk.indexOf(lineFeed, at + 1)) records++;
    }
  return { sha256: hash.digest('hex'), records };
}
