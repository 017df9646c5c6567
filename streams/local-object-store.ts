import { createHash, randomUUID } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, rename, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { failpoint } from './failpoints.ts';
import { checkedObjectKey, type ObjectStore, partialPrefix, type StoredObject } from './object-store.ts';

const readBytes = 1024 * 1024;
/** A body that has been half-written for so long belongs to a process that died. */
const partialAgeMaxMs = 3_600_000;

/** An object store in a directory, which is made with the first object. A key's slashes are folders. */
export function createLocalObjectStore(root: string): ObjectStore {
  const pathOf = (key: string) => join(root, ...checkedObjectKey(key).split('/'));
  let swept = false;
  return {
    put: async (key, body) => {
      const path = pathOf(key);
      const partial = join(dirname(path), `${partialPrefix}${randomUUID()}`);
      await mkdir(dirname(path), { recursive: true });
      try {
        const stored = await writeDurably(partial, body);
        if (!swept) await sweepPartials(root, (await stat(partial)).mtimeMs - partialAgeMaxMs);
        swept = true;
        failpoint('object-written');
        await rename(partial, path);
        failpoint('object-renamed');
        await syncDirectories(dirname(path), root);
        return stored;
      } catch (error) {
        await rm(partial, { force: true });
        throw error;
      }
    },
    get: async (key) => {
      const handle = await open(pathOf(key), 'r').catch(ignoreMissing);
      return handle === undefined ? undefined : readInPieces(handle);
    },
    readBack: async (key) => {
      const handle = await open(pathOf(key), 'r').catch(ignoreMissing);
      return handle === undefined ? undefined : summarise(handle);
    },
    list: async (prefix) => {
      const found: { key: string; bytes: number }[] = [];
      for (const path of await filesBelow(root)) {
        const key = relative(root, path).split(sep).join('/');
        if (!key.startsWith(prefix) || isPartial(path)) continue;
        const size = (await stat(path).catch(ignoreMissing))?.size;
        if (size !== undefined) found.push({ key, bytes: size });
      }
      return found.sort((one, other) => (one.key < other.key ? -1 : 1));
    },
    delete: async (key) => {
      const path = pathOf(key);
      await rm(path, { force: true });
      // Folders that are empty now go too; one that is not refuses.
      for (let folder = dirname(path); folder.length > root.length; folder = dirname(folder))
        if (
          !(await rmdir(folder).then(
            () => true,
            () => false,
          ))
        )
          break;
    },
  };
}

async function writeDurably(
  path: string,
  body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<StoredObject> {
  const handle = await open(path, 'wx');
  const hash = createHash('sha256');
  let bytes = 0;
  try {
    for await (const piece of body) {
      hash.update(piece);
      bytes += piece.byteLength;
      await writeAll(handle, piece);
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
  return { bytes, sha256: hash.digest('hex') };
}

/** A write may take less than it was given, on a disk that is filling up for one. */
async function writeAll(handle: FileHandle, piece: Uint8Array): Promise<void> {
  let written = 0;
  while (written < piece.byteLength) {
    const { bytesWritten } = await handle.write(piece, written, piece.byteLength - written);
    if (bytesWritten === 0) throw new Error('nothing more can be written');
    written += bytesWritten;
  }
}

async function* readInPieces(handle: FileHandle): AsyncGenerator<Uint8Array> {
  try {
    for (;;) {
      const piece = Buffer.allocUnsafeSlow(readBytes);
      const { bytesRead } = await handle.read(piece, 0, readBytes);
      if (bytesRead === 0) return;
      yield piece.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}

async function summarise(handle: FileHandle): Promise<StoredObject> {
  const hash = createHash('sha256');
  const piece = Buffer.allocUnsafeSlow(readBytes);
  let bytes = 0;
  try {
    for (;;) {
      const { bytesRead } = await handle.read(piece, 0, readBytes);
      if (bytesRead === 0) return { bytes, sha256: hash.digest('hex') };
      hash.update(piece.subarray(0, bytesRead));
      bytes += bytesRead;
    }
  } finally {
    await handle.close();
  }
}

/** A rename is safe when the directory that holds the name is; so are folders that were just made. */
async function syncDirectories(from: string, root: string): Promise<void> {
  for (let folder = from; ; folder = dirname(folder)) {
    const handle = await open(folder, 'r');
    await handle.sync().finally(() => handle.close());
    if (folder.length <= root.length) return;
  }
}

async function filesBelow(root: string): Promise<string[]> {
  const entries = (await readdir(root, { recursive: true, withFileTypes: true }).catch(ignoreMissing)) ?? [];
  // `parentPath` replaces `path`, which older versions of Node 20 have alone.
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath ?? entry.path, entry.name));
}

async function sweepPartials(root: string, beforeMs: number): Promise<void> {
  for (const path of (await filesBelow(root)).filter(isPartial)) {
    const known = await stat(path).catch(ignoreMissing);
    if (known !== undefined && known.mtimeMs < beforeMs) await rm(path, { force: true });
  }
}

const isPartial = (path: string) => path.split(sep).at(-1)?.startsWith(partialPrefix) ?? false;

function ignoreMissing(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
  throw error;
}
