import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLocalObjectStore } from './local-object-store.ts';
import { objectKeyFault } from './object-store.ts';
import { describeObjectStore, pieces, readText } from './testing/object-store-conformance.ts';

describeObjectStore('a directory', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'lakehouse-store-'));
  return {
    store: createLocalObjectStore(join(directory, 'made', 'later')),
    close: () => rm(directory, { recursive: true, force: true }),
  };
});

let root = '';
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'lakehouse-store-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

describe('a directory of objects', () => {
  it('lets folders go that are empty', async () => {
    const store = createLocalObjectStore(root);
    for (const key of ['s/2/m', 's/1/m', 's/1/b']) await store.put(key, pieces(key));
    await store.delete('s/1/b');
    await store.delete('s/1/m');
    expect(await readdir(join(root, 's'))).toEqual(['2']);
  });

  it('leaves nothing behind of a body that broke off, and what was there as it was', async () => {
    const store = createLocalObjectStore(root);
    await store.put('a/body', pieces('whole'));
    async function* broken() {
      yield Buffer.from('half');
      throw new Error('the disk is full');
    }
    await expect(store.put('a/body', broken())).rejects.toThrow('the disk is full');
    expect(await readText(await store.get('a/body'))).toBe('whole');
    expect(await readdir(join(root, 'a'))).toEqual(['body']);
  });

  it('never lists what another process is writing, and clears away what a dead one left', async () => {
    await writeFile(join(root, '.partial-new'), 'x');
    await writeFile(join(root, '.partial-old'), 'x');
    await utimes(join(root, '.partial-old'), 0, 0);
    const store = createLocalObjectStore(root);
    expect(await store.list('')).toEqual([]);
    await store.put('body', pieces('x'));
    expect((await readdir(root)).sort()).toEqual(['.partial-new', 'body']);
  });

  it('takes the keys of snapshots', () => {
    expect(objectKeyFault('snapshots/2026-11-21T00:00:00.000Z/0-documents.body')).toBeUndefined();
    expect(objectKeyFault('é'.repeat(512))).toBeUndefined();
  });
});
