import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ObjectStore, objectKeyFault } from '../object-store.ts';

export interface StoreUnderTest {
  /** With nothing in it. */
  readonly store: ObjectStore;
  close(): Promise<void>;
}

const mebibyte = 1024 * 1024;
/** More than one page of a listing of S3, and more than one part of an upload. */
const manyKeys = 1_005;
const largeBytes = 17 * mebibyte + 13;
const partBytes = 8 * mebibyte;

export async function* pieces(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}

export async function readText(body: AsyncIterable<Uint8Array> | undefined): Promise<string | undefined> {
  if (body === undefined) return undefined;
  const read: Uint8Array[] = [];
  for await (const piece of body) read.push(piece);
  return Buffer.concat(read).toString();
}

/** Bytes that look like nothing, in pieces of a size that fits no part. */
function* noise(bytes: number, pieceBytes = 700_001): Generator<Uint8Array> {
  for (let at = 0; at < bytes; at += pieceBytes) {
    const piece = Buffer.allocUnsafe(Math.min(pieceBytes, bytes - at));
    for (let place = 0; place < piece.byteLength; place++) piece[place] = ((at + place) * 2_654_435_761) >>> 24;
    yield piece;
  }
}

function summaryOf(body: Iterable<Uint8Array>) {
  const hash = createHash('sha256');
  let bytes = 0;
  for (const piece of body) {
    hash.update(piece);
    bytes += piece.byteLength;
  }
  return { bytes, sha256: hash.digest('hex') };
}

/** What every object store has to do. */
export function describeObjectStore(name: string, open: () => Promise<StoreUnderTest>): void {
  describe(`${name}, as every object store`, () => {
    let under: StoreUnderTest;
    let store: ObjectStore;
    beforeAll(async () => {
      under = await open();
      store = under.store;
    });
    afterAll(() => under.close());

    it('gives back what was put, tells its size and hash, and replaces it', async () => {
      const stored = await store.put('put/a/body', pieces('one ', 'two'));
      expect(stored).toEqual({ bytes: 7, sha256: createHash('sha256').update('one two').digest('hex') });
      expect(await readText(await store.get('put/a/body'))).toBe('one two');
      await store.put('put/a/body', pieces('three'));
      expect(await readText(await store.get('put/a/body'))).toBe('three');
    });

    it('reference 10.9: tells what is not there as a value, and lets it go without complaint', async () => {
      expect(await store.get('nothing/here')).toBeUndefined();
      expect(await store.readBack('nothing/here')).toBeUndefined();
      expect(await store.list('nothing/')).toEqual([]);
      await store.delete('nothing/here');
    });

    it('keeps an empty body', async () => {
      const stored = await store.put('empty', []);
      expect(stored.bytes).toBe(0);
      expect(await readText(await store.get('empty'))).toBe('');
      expect(await store.readBack('empty')).toEqual(stored);
    });

    it.each([largeBytes, partBytes, partBytes * 2])('reference 10.13: streams a body of %d bytes', async (bytes) => {
      const expected = summaryOf(noise(bytes));
      expect(await store.put('large', noise(bytes))).toEqual(expected);
      expect(await store.readBack('large')).toEqual(expected);
      const hash = createHash('sha256');
      for await (const piece of (await store.get('large')) ?? []) hash.update(piece);
      expect(hash.digest('hex')).toBe(expected.sha256);
    });

    it('lets a reader leave midway', async () => {
      await store.put('left', noise(largeBytes));
      for await (const piece of (await store.get('left')) ?? []) {
        expect(piece.byteLength).toBeGreaterThan(0);
        break;
      }
      expect((await store.readBack('left'))?.bytes).toBe(largeBytes);
    });

    it.each([10, largeBytes])(
      'reference 10.8: of a body that breaks off after %d bytes nothing is there',
      async (bytes) => {
        async function* broken() {
          yield* noise(bytes);
          throw new Error('the writer is gone');
        }
        await expect(store.put('torn/new', broken())).rejects.toThrow('the writer is gone');
        expect(await store.get('torn/new')).toBeUndefined();
        await store.put('torn/old', pieces('whole'));
        await expect(store.put('torn/old', broken())).rejects.toThrow('the writer is gone');
        expect(await readText(await store.get('torn/old'))).toBe('whole');
        expect((await store.list('torn/')).map(({ key }) => key)).toEqual(['torn/old']);
      },
    );

    it('of two writers one wins, whole', async () => {
      const texts = ['first', 'second'].map((text) => text.repeat(50_000));
      await Promise.all(texts.map((text) => store.put('raced', pieces(text))));
      expect(texts).toContain(await readText(await store.get('raced')));
    });

    it('lists by prefix, in order, and lets go', async () => {
      for (const key of ['list/2/m', 'list/1/m', 'list/1/b', 'listed']) await store.put(key, pieces(key));
      expect(await store.list('list/')).toEqual([
        { key: 'list/1/b', bytes: 8 },
        { key: 'list/1/m', bytes: 8 },
        { key: 'list/2/m', bytes: 8 },
      ]);
      expect((await store.list('list')).map(({ key }) => key)).toContain('listed');
      await store.delete('list/1/b');
      await store.delete('list/1/b');
      expect((await store.list('list/1')).map(({ key }) => key)).toEqual(['list/1/m']);
    });

    it('reference 10.15: lists more than a page', async () => {
      const keys = Array.from({ length: manyKeys }, (_, place) => `many/${String(place).padStart(5, '0')}`);
      for (let at = 0; at < keys.length; at += 100)
        await Promise.all(keys.slice(at, at + 100).map((key) => store.put(key, [Buffer.from('x')])));
      expect((await store.list('many/')).map(({ key }) => key)).toEqual(keys);
    });

    it('keeps keys with blanks, signs and letters of any script', async () => {
      const keys = ['odd/a b', 'odd/a+b', 'odd/a%20b', 'odd/ä/é', 'odd/漢字', "odd/it's(1)!*&=:@,;~$"];
      for (const key of keys) await store.put(key, pieces(key));
      for (const key of keys) expect(await readText(await store.get(key)), key).toBe(key);
      expect((await store.list('odd/')).map(({ key }) => key).sort()).toEqual([...keys].sort());
      expect(await readText(await store.get('odd/a b'))).toBe('odd/a b');
    });

    it('reference 10.15: refuses keys that lead elsewhere', async () => {
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
        'a\\b',
        '.partial-x',
        'é'.repeat(513),
      ];
      for (const key of bad) {
        expect(objectKeyFault(key), JSON.stringify(key)).toBeTypeOf('string');
        await expect(store.put(key, pieces('x'))).rejects.toThrow(RangeError);
        await expect(store.get(key)).rejects.toThrow(RangeError);
        await expect(store.readBack(key)).rejects.toThrow(RangeError);
        await expect(store.delete(key)).rejects.toThrow(RangeError);
      }
    });
  });
}
