import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLocalObjectStore } from './local-object-store.ts';
import { objectKeyFault } from './object-store.ts';

let root = '';
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'lakehouse-store-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function* pieces(...texts: string[]) {
  for (const text of texts) yield Buffer.from(text);
}

async function read(body: AsyncIterable<Uint8Array> | undefined): Promise<string | undefined> {
  if (body === undefined) return undefined;
  const read: Uint8Array[] = [];
  for await (const piece of body) read.push(piece);
  return Buffer.concat(read).toString();
}

describe('a directory of objects', () => {
  it('gives back what was put, and tells its size and hash', async () => {
    const store = createLocalObjectStore(join(root, 'made', 'later'));
    const stored = await store.put('a/b/body', pieces('one ', 'two'));
    expect(stored).toEqual({ bytes: 7, sha256: createHash('sha256').update('one two').digest('hex') });
    expect(await read(await store.get('a/b/body'))).toBe('one two');
    expect(await store.get('a/b/other')).toBeUndefined();
    await store.put('a/b/body', pieces('three'));
    expect(await read(await store.get('a/b/body'))).toBe('three');
  });

  it('streams bodies of many pieces', async () => {
    const store = createLocalObjectStore(root);
    const piece = Buffer.alloc(700_000, 7);
    const body = Array.from({ length: 5 }, () => piece);
    expect((await store.put('large', body)).bytes).toBe(3_500_000);
    const hash = createHash('sha256');
    for await (const got of (await store.get('large')) ?? []) hash.update(got);
    expect(hash.digest('hex')).toBe(createHash('sha256').update(Buffer.concat(body)).digest('hex'));
  });

  it('lists by prefix and lets go', async () => {
    const store = createLocalObjectStore(root);
    expect(await store.list('')).toEqual([]);
    for (const key of ['s/2/m', 's/1/m', 's/1/b', 'r/1']) await store.put(key, pieces(key));
    expect(await store.list('s/')).toEqual([
      { key: 's/1/b', bytes: 5 },
      { key: 's/1/m', bytes: 5 },
      { key: 's/2/m', bytes: 5 },
    ]);
    await store.delete('s/1/b');
    await store.delete('s/1/m');
    await store.delete('s/1/m');
    expect((await store.list('s')).map((one) => one.key)).toEqual(['s/2/m']);
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
    expect(await read(await store.get('a/body'))).toBe('whole');
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

  it('refuses keys that lead elsewhere', async () => {
    const store = createLocalObjectStore(root);
    const bad = [
      '',
      '/a',
      'a/',
      'a//b',
      '..',
      'a/../b',
      './a',
      'a\0b',
      'a\nb',
      'a\rb',
      'a\\b',
      '.partial-x',
      'é'.repeat(513),
    ];
    for (const key of bad) {
      expect(objectKeyFault(key), JSON.stringify(key)).toBeTypeOf('string');
      await expect(store.put(key, pieces('x'))).rejects.toThrow(RangeError);
      await expect(store.get(key)).rejects.toThrow(RangeError);
      await expect(store.delete(key)).rejects.toThrow(RangeError);
    }
    expect(objectKeyFault('snapshots/2026-11-21T00:00:00.000Z/0-documents.body')).toBeUndefined();
    expect(objectKeyFault('é'.repeat(512))).toBeUndefined();
  });
});
