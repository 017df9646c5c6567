import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { checkKey, type ObjectStore } from './object-store.ts';

const partialSuffix = '.partial';

/** A directory as an object store. An object is written aside, synced, and renamed into its place. */
export function createLocalObjectStore(directory: string): ObjectStore {
  const pathOf = (key: string) => {
    checkKey(key);
    return join(directory, ...key.split('/'));
  };
  return {
    put: async (key, body) => {
      const path = pathOf(key);
      await mkdir(dirname(path), { recursive: true });
      const aside = `${path}.${randomUUID()}${partialSuffix}`;
      try {
        const written = await writeAll(aside, body);
        await rename(aside, path);
        await syncDirectory(dirname(path));
        return written;
      } catch (error) {
        await rm(aside, { force: true });
        throw error;
      }
    },
    get: async (key) => {
      const path = pathOf(key);
      const found = await stat(path).catch(ignoreMissing);
      return found?.isFile() ? createReadStream(path) : undefined;
    },
    list: async (prefix) => {
      const names = await readdir(directory, { recursive: true, withFileTypes: true }).catch(ignoreMissing);
      return (names ?? [])
        .filter((entry) => entry.isFile() && !entry.name.endsWith(partialSuffix))
        .map((entry) => relative(directory, join(entry.parentPath, entry.name)).split(sep).join('/'))
        .filter((key) => key.startsWith(prefix))
        .sort();
    },
    delete: async (key) => {
      await rm(pathOf(key), { force: true });
    },
  };
}

async function writeAll(path: string, body: AsyncIterable<Uint8Array>): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256');
  let bytes = 0;
  const file = await open(path, 'wx');
  try {
    for await (const part of body) {
      hash.update(part);
      await file.writeFile(part);
      bytes += part.length;
    }
    await file.sync();
  } finally {
    await file.close();
  }
  return { bytes, sha256: hash.digest('hex') };
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

function ignoreMissing(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code === 'ENOENT' || (error as NodeJS.ErrnoException).code === 'ENOTDIR')
    return undefined;
  throw error;
}
