import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import type { ObjectStore } from '../object-store.ts';
import { type BackupChunk, BackupError, type BackupFile, putChecked } from './manifest.ts';
import type { TarPart } from './tar.ts';

const compress = promisify(gzip);
const expand = promisify(gunzip);

/**
 * A file of a store is cut into so much: a full file of a stream stays as it is, so that the next backup finds its
 * chunks there.
 */
const chunkBytes = 1024 * 1024;
/** Vectors do not get smaller, and texts do at the first level already. */
const compressionLevel = 1;

export interface ChunkCounts {
  written: number;
  writtenBytes: number;
  /** Were there from a backup before. */
  known: number;
}

export interface ChunkPorts {
  readonly store: ObjectStore;
  readonly keyOf: (sha256: string) => string;
  /** Keys of the chunks that are there; those that are written come in. */
  readonly present: Set<string>;
  readonly counts: ChunkCounts;
  readonly onChunk: (bytes: number) => void;
}

/** Puts the files of an archive into chunks, each named after its hash, and only those that are not there yet. */
export async function writeChunks(ports: ChunkPorts, parts: AsyncIterable<TarPart>): Promise<BackupFile[]> {
  const files: { name: string; bytes: number; chunks: BackupChunk[] }[] = [];
  const buffer = Buffer.allocUnsafeSlow(chunkBytes);
  let filled = 0;
  const flush = async () => {
    if (filled === 0) return;
    files.at(-1)?.chunks.push(await writeChunk(ports, buffer.subarray(0, filled)));
    filled = 0;
  };
  for await (const part of parts) {
    if (part.kind === 'file') {
      await flush();
      files.push({ name: part.name, bytes: part.bytes, chunks: [] });
      continue;
    }
    for (let at = 0; at < part.bytes.byteLength; ) {
      const bytes = Math.min(chunkBytes - filled, part.bytes.byteLength - at);
      buffer.set(part.bytes.subarray(at, at + bytes), filled);
      filled += bytes;
      at += bytes;
      if (filled === chunkBytes) await flush();
    }
  }
  await flush();
  return files;
}

async function writeChunk(ports: ChunkPorts, content: Uint8Array): Promise<BackupChunk> {
  const { store, keyOf, present, counts, onChunk } = ports;
  const sha256 = createHash('sha256').update(content).digest('hex');
  const key = keyOf(sha256);
  if (present.has(key)) counts.known++;
  else {
    const body = await compress(content, { level: compressionLevel });
    await putChecked(store, key, body);
    present.add(key);
    counts.written++;
    counts.writtenBytes += body.byteLength;
  }
  onChunk(content.byteLength);
  return { sha256, bytes: content.byteLength };
}

/** The content of a file, each chunk checked before it is given on. Throws `BackupError`. */
export async function* readChunks(
  store: ObjectStore,
  keyOf: (sha256: string) => string,
  file: BackupFile,
  onChunk: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  for (const chunk of file.chunks) {
    const content = await readChunk(store, keyOf(chunk.sha256), chunk);
    onChunk(content.byteLength);
    yield content;
  }
}

async function readChunk(store: ObjectStore, key: string, { sha256, bytes }: BackupChunk): Promise<Uint8Array> {
  const damaged = (how: string) =>
    new BackupError(`the chunk ${key} ${how}; nothing of its stream was restored. Take another backup with --at`);
  const body = await store.get(key);
  if (body === undefined) throw damaged('is not there');
  const pieces: Uint8Array[] = [];
  for await (const piece of body) pieces.push(piece);
  const content = await expand(Buffer.concat(pieces), { maxOutputLength: chunkBytes }).catch((error: unknown) => {
    throw damaged(`is damaged (${error instanceof Error ? error.message : String(error)})`);
  });
  if (content.byteLength !== bytes || createHash('sha256').update(content).digest('hex') !== sha256)
    throw damaged('is damaged');
  return content;
}
