import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLocalObjectStore } from '../../../streams/local-object-store.ts';
import { type CorpusIndex, createCorpusIndex, indexParts } from '../corpus-index.ts';
import { digestOfIndex } from '../index-digest.ts';
import {
  loadNewestSnapshot,
  loadSnapshotEntries,
  pruneSnapshots,
  SnapshotError,
  saveSnapshotEntries,
} from '../snapshots.ts';
import { createMemoryStore } from '../testing/memory-store.ts';
import { bruteForce, clustered, deletion, finish, recall, seededRandom, upsert } from '../testing/model.ts';
import { encodeFrame, readFrames } from './frames.ts';
import { decodeManifest, encodeManifest } from './manifest.ts';

const dimension = 12;
const space = { model: 'test', dimension, prefixScheme: 'none' as const };
const parameters = { exactBelow: 50, graphPartMax: 1, deadMin: 1_000, m: 6, efConstruction: 50 };
const createdAt = '2026-11-21T00:00:00.000Z';
const checkpoint = { VECTORS: 300, PLAYBOOKS: 7 };

let scratchDirectory = '';
beforeAll(async () => {
  scratchDirectory = await mkdtemp(join(tmpdir(), 'lakehouse-snapshot-'));
});
afterAll(() => rm(scratchDirectory, { recursive: true, force: true }));
const options = () => ({ parameters, scratchDirectory });

/** Documents in a graph, behind it, equal, updated, deleted, and known by metadata alone. */
function mixedIndex(documents = 120, seed = 1): CorpusIndex {
  const index = createCorpusIndex({ space, distance: 'cosine', parameters });
  const vectors = clustered(documents, dimension, 12, 0.5, seed);
  for (const [place, vector] of vectors.entries())
    index.apply(upsert(`w-${place}`, place + 1, vector, place % 3 === 0 ? `{"n":${place},"name":"Zoë"}` : null));
  finish(index);
  for (let place = 0; place < documents / 10; place++) {
    index.apply(upsert(`w-${place * 7}`, 1_000 + place, vectors[place] ?? new Float32Array(dimension)));
    index.apply(deletion(`w-${place * 5 + 1}`, 2_000 + place));
  }
  index.apply({
    id: 'known',
    registers: { content: { version: 0, value: null }, metadata: { version: 5, json: '{}' } },
  });
  return index;
}

const digestOf = (index: CorpusIndex) => digestOfIndex({ kind: 'documents', corpus: 'workers', index });
const entryOf = (index: CorpusIndex, corpus = 'workers') => ({ kind: 'documents' as const, corpus, index });

async function loadOnly(store: Parameters<typeof loadSnapshotEntries>[0], key: string) {
  const loaded = await loadSnapshotEntries(store, key, options());
  if (!loaded.ok) throw new Error(loaded.reason);
  const [entry] = loaded.entries;
  if (entry === undefined) throw new Error('the snapshot is empty');
  return { ...loaded, index: entry.index };
}

function vectorsOf(index: CorpusIndex): Map<string, Float32Array> {
  return new Map([...index.ids()].map((id) => [id, index.vector(id) ?? new Float32Array(dimension)]));
}

describe('a snapshot', () => {
  it('tells of which documents only the beginning was embedded', async () => {
    const store = createMemoryStore();
    const index = mixedIndex();
    const vector = Float32Array.from({ length: dimension }, () => 1);
    const { registers } = upsert('w-3', 9_000, vector);
    const { content, metadata } = registers;
    const hash = content.value?.hash ?? '';
    index.apply({
      id: 'w-3',
      registers: { content: { ...content, value: { hash, vector, truncated: true } }, metadata },
    });
    const key = await saveSnapshotEntries(store, 's/1', [entryOf(index)], checkpoint, createdAt, options());
    const { index: loaded } = await loadOnly(store, key);
    expect(loaded.lookup('w-3')?.content).toEqual({ version: 9_000, hash, truncated: true });
    expect([loaded.isTruncated('w-3'), loaded.isTruncated('w-4'), loaded.isTruncated('none')]).toEqual([
      true,
      false,
      false,
    ]);
    loaded.apply(upsert('w-3', 9_001, vector));
    expect(loaded.isTruncated('w-3')).toBe(false);
  });

  it('gives back an index that equals: digest, graph, answers; and that takes writes as the first one does', async () => {
    const store = createLocalObjectStore(join(scratchDirectory, 'store'));
    const first = mixedIndex();
    const key = await saveSnapshotEntries(store, 's/1', [entryOf(first)], checkpoint, createdAt, options());
    expect(key).toBe('s/1/manifest.json');
    const { index, checkpoint: told, notes } = await loadOnly(store, key);
    expect({ told, notes }).toEqual({ told: checkpoint, notes: [] });
    expect(await digestOf(index)).toBe(await digestOf(first));
    expect(index.stats()).toMatchObject({ graph: true, live: first.size, tombstones: first.tombstones });
    expect(index.insertions()).toBe(0);

    const random = seededRandom(4);
    for (let version = 5_000; version < 5_400; version++) {
      const id = `w-${Math.floor(random() * 140)}`;
      const vector = Float32Array.from({ length: dimension }, () => random() - 0.5);
      const record = random() < 0.3 ? deletion(id, version) : upsert(id, version, vector);
      expect(index.apply(record)).toBe(first.apply(record));
      if (version % 40 === 0)
        expect(recall(index.search(vector, 5), bruteForce(vectorsOf(first), vector, 5, 'cosine'))).toBe(1);
    }
    expect(await digestOf(index)).toBe(await digestOf(first));
    expect((await readdir(scratchDirectory)).sort()).toEqual(['store']);
  });

  it('of a small index, an empty one and one of another distance', async () => {
    const store = createMemoryStore();
    const euclidean = createCorpusIndex({ space, distance: 'euclidean', parameters });
    euclidean.apply(upsert('zero', 1, new Float32Array(dimension)));
    const sources = [entryOf(mixedIndex(20)), entryOf(createCorpusIndex({ space, distance: 'cosine' }), 'empty')];
    const playbooks = { kind: 'playbooks' as const, corpus: 'playbook_memory', index: euclidean };
    const key = await saveSnapshotEntries(store, 's/1', [...sources, playbooks], checkpoint, createdAt, options());
    const loaded = await loadSnapshotEntries(store, key, options());
    expect(loaded).toMatchObject({ ok: true, notes: [], checkpoint });
    if (!loaded.ok) return;
    expect(loaded.entries.map(({ kind, corpus, index }) => ({ kind, corpus, live: index.size }))).toEqual([
      { kind: 'documents', corpus: 'workers', live: sources[0]?.index.size },
      { kind: 'documents', corpus: 'empty', live: 0 },
      { kind: 'playbooks', corpus: 'playbook_memory', live: 1 },
    ]);
    expect(loaded.entries[2]?.index.distance).toBe('euclidean');
  });

  it('keeps equal vectors together whose first one was deleted', async () => {
    const store = createMemoryStore();
    const index = createCorpusIndex({ space, distance: 'cosine', parameters });
    const vectors = clustered(30, dimension, 30, 0, 3);
    for (let round = 0; round < 3; round++)
      for (const [place, vector] of vectors.entries()) index.apply(upsert(`${round}-${place}`, 1 + round, vector));
    finish(index);
    for (const place of vectors.keys()) index.apply(deletion(`0-${place}`, 9));
    const { index: loaded } = await loadOnly(
      store,
      await saveSnapshotEntries(store, 's/1', [entryOf(index)], checkpoint, createdAt, options()),
    );
    for (const [place, vector] of vectors.entries()) {
      expect(loaded.search(vector, 2).map((hit) => hit.id)).toEqual([`1-${place}`, `2-${place}`]);
      loaded.apply(upsert(`3-${place}`, 10, vector));
    }
    finish(loaded);
    expect(indexParts(loaded).maintenance.serving.graph?.count).toBe(30);
  });

  it('taken while writes go on: folding again from its checkpoint makes it equal', async () => {
    const store = createMemoryStore();
    const index = mixedIndex();
    const later = clustered(200, dimension, 20, 0.5, 8).map((vector, place) =>
      place % 4 === 0 ? deletion(`w-${place % 130}`, 9_000 + place) : upsert(`w-${place % 130}`, 9_000 + place, vector),
    );
    const waiting = [...later];
    const slow = {
      ...store,
      put: (key: string, body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>) => store.put(key, interleaved(body)),
    };
    async function* interleaved(body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>) {
      for await (const piece of body) {
        for (const record of waiting.splice(0, 9)) index.apply(record);
        index.step();
        yield piece;
      }
    }
    const key = await saveSnapshotEntries(slow, 's/1', [entryOf(index)], checkpoint, createdAt, options());
    expect(waiting.length).toBeLessThan(later.length);
    for (const record of waiting) index.apply(record);
    const { index: loaded } = await loadOnly(store, key);
    for (const record of later) loaded.apply(record);
    expect(await digestOf(loaded)).toBe(await digestOf(index));
    finish(loaded);
    const query = Float32Array.from({ length: dimension }, (_, place) => place - 5);
    expect(recall(loaded.search(query, 10), bruteForce(vectorsOf(index), query, 10, 'cosine'))).toBe(1);
  });

  it('reference 10.8: that the store does not keep as it was given is none, and nothing of it stays', async () => {
    const store = createMemoryStore();
    const lying = {
      ...store,
      put: async (key: string, body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>) => {
        const stored = await store.put(key, body);
        store.bodies.get(key)?.writeUInt8(0xff, 40);
        return stored;
      },
    };
    const saved = saveSnapshotEntries(lying, 's/1', [entryOf(mixedIndex())], checkpoint, createdAt, options());
    await expect(saved).rejects.toThrow(SnapshotError);
    expect(store.bodies.size).toBe(0);
    const full = { ...store, put: () => Promise.reject(new Error('ENOSPC: no space left on device')) };
    const index = mixedIndex();
    const refused = saveSnapshotEntries(full, 's/1', [entryOf(index)], checkpoint, createdAt, options());
    await expect(refused).rejects.toThrow('no space left');
    // The graph goes on after a snapshot that failed.
    index.apply(
      upsert(
        'after',
        9_999,
        Float32Array.from({ length: dimension }, (_, place) => place + 1),
      ),
    );
    expect(index.insertions()).toBeGreaterThan(0);
    expect(index.stats().tail).toBeLessThan(30);
  });
});

describe('a snapshot that is not sound is never loaded, and the reason is told', () => {
  const store = createMemoryStore();
  let key = '';
  const bodyKey = 's/1/0-documents-workers.body';
  let body: Buffer = Buffer.alloc(0);
  beforeAll(async () => {
    key = await saveSnapshotEntries(store, 's/1', [entryOf(mixedIndex(60))], checkpoint, createdAt, options());
    body = store.bodies.get(bodyKey) ?? body;
  });
  async function expectRefused(spoiled: Buffer): Promise<string> {
    store.bodies.set(bodyKey, spoiled);
    const loaded = await loadSnapshotEntries(store, key, options());
    store.bodies.set(bodyKey, body);
    expect(loaded.ok).toBe(false);
    return loaded.ok ? '' : loaded.reason;
  }

  it('the control: as it is, it loads', async () => {
    expect(await loadSnapshotEntries(store, key, options())).toMatchObject({ ok: true, notes: [] });
  });

  it('cut off anywhere', async () => {
    const random = seededRandom(11);
    for (let run = 0; run < 40; run++)
      expect(await expectRefused(body.subarray(0, Math.floor(random() * body.byteLength)))).toMatch(/\w/);
    expect(await expectRefused(Buffer.concat([body, Buffer.of(0)]))).toMatch(/breaks off/);
  });

  it('with a bit flipped in every KiB', async () => {
    const random = seededRandom(12);
    for (let at = 0; at < body.byteLength; at += 1_024) {
      const spoiled = Buffer.from(body);
      const place = Math.min(body.byteLength - 1, at + Math.floor(random() * 1_024));
      spoiled.writeUInt8(spoiled.readUInt8(place) ^ (1 << Math.floor(random() * 8)), place);
      expect(await expectRefused(spoiled)).toMatch(/\w/);
    }
  });

  it('without its body, without its manifest, or with a manifest in which one character changed', async () => {
    store.bodies.delete(bodyKey);
    expect(await loadSnapshotEntries(store, key, options())).toMatchObject({
      ok: false,
      reason: expect.stringContaining('not there'),
    });
    store.bodies.set(bodyKey, body);
    expect(await loadSnapshotEntries(store, 's/2/manifest.json', options())).toMatchObject({ ok: false });
    expect(await loadSnapshotEntries(store, '../manifest.json', options())).toMatchObject({ ok: false });
    const manifest = store.bodies.get(key) ?? Buffer.alloc(0);
    for (let at = 0; at < manifest.byteLength; at++) {
      const spoiled = Buffer.from(manifest);
      spoiled.writeUInt8(spoiled.readUInt8(at) ^ 1, at);
      store.bodies.set(key, spoiled);
      const loaded = await loadSnapshotEntries(store, key, options());
      // White space between values is no part of what is said.
      if (loaded.ok) expect(JSON.parse(spoiled.toString())).toEqual(JSON.parse(manifest.toString()));
    }
    store.bodies.set(key, manifest);
  });

  it('swapped with that of another corpus', async () => {
    const others = createMemoryStore();
    await saveSnapshotEntries(others, 's/1', [entryOf(mixedIndex(60, 2), 'drivers')], checkpoint, createdAt, options());
    expect(await expectRefused(others.bodies.get('s/1/0-documents-drivers.body') ?? body)).toContain('drivers');
    // A manifest that was moved speaks of another folder.
    store.bodies.set('s/9/manifest.json', store.bodies.get(key) ?? body);
    expect(await loadSnapshotEntries(store, 's/9/manifest.json', options())).toMatchObject({ ok: false });
    store.bodies.delete('s/9/manifest.json');
  });

  it('from a future version', async () => {
    const manifest = store.bodies.get(key) ?? Buffer.alloc(0);
    const { checksum: _, ...content } = JSON.parse(manifest.toString());
    store.bodies.set(key, Buffer.from(encodeManifest({ ...content, version: 2 })));
    expect(await loadSnapshotEntries(store, key, options())).toMatchObject({
      ok: false,
      reason: expect.stringContaining('version 2'),
    });
    store.bodies.set(key, manifest);
    const future = Buffer.concat(encodeFrame('header', Buffer.from('{"format":"lakehouse.index-body","version":2}')));
    expect(await expectRefused(future)).toContain('header');
  });

  it('of which only the graph is wrong: it loads, and builds the graph again', async () => {
    const frames: Uint8Array[] = [];
    let spoiled = false;
    for await (const { kind, payload } of readFrames(
      (async function* () {
        yield body;
      })(),
    )) {
      // A link that leads out of the graph, written by a writer with a fault: every checksum is right.
      if (kind === 'graph' && !spoiled) payload.writeUInt32LE(0xffff_fff0, 96 + 4);
      spoiled ||= kind === 'graph';
      frames.push(...encodeFrame(kind, Buffer.from(payload)));
    }
    expect(spoiled).toBe(true);
    const wrong = createMemoryStore();
    const stored = await wrong.put(bodyKey, frames);
    const manifest = decodeManifest((store.bodies.get(key) ?? Buffer.alloc(0)).toString());
    const bodies = manifest.bodies.map((one) => ({ ...one, ...stored }));
    await wrong.put(key, [Buffer.from(encodeManifest({ ...manifest, bodies }))]);
    const { index, notes } = await loadOnly(wrong, key);
    expect(notes).toEqual([expect.stringContaining('leads nowhere')]);
    expect(index.stats().graph).toBe(false);
    const query = Float32Array.from({ length: dimension }, (_, place) => place - 5);
    const truth = bruteForce(vectorsOf(index), query, 5, 'cosine');
    expect(recall(index.search(query, 5), truth)).toBe(1);
    finish(index);
    expect(index.stats()).toMatchObject({ graph: true, tail: 0 });
    expect(recall(index.search(query, 5), truth)).toBe(1);
  });
});

describe('of several snapshots', () => {
  it('the one that was folded furthest is loaded, whatever the clock said; a bad one is skipped', async () => {
    const store = createMemoryStore();
    const save = (folder: string, sequence: number, at: string) =>
      saveSnapshotEntries(store, folder, [entryOf(mixedIndex(20))], { VECTORS: sequence }, at, options());
    await save('s/1', 10, '2026-11-21T00:00:00.000Z');
    await save('s/2', 30, '2026-11-20T00:00:00.000Z');
    await save('s/3', 20, '2026-11-22T00:00:00.000Z');
    const newest = () => loadNewestSnapshot(store, 's', options());
    expect(await newest()).toMatchObject({ snapshot: { key: 's/2/manifest.json' }, skipped: [] });
    store.bodies.get('s/2/0-documents-workers.body')?.writeUInt8(0, 100);
    expect(await newest()).toMatchObject({
      snapshot: { key: 's/3/manifest.json' },
      skipped: [{ key: 's/2/manifest.json', reason: expect.any(String) }],
    });
    store.bodies.get('s/3/manifest.json')?.writeUInt8(0, 100);
    const refuse = () => 'the stream was made anew';
    expect(await loadNewestSnapshot(store, 's', { ...options(), refuse })).toMatchObject({
      snapshot: undefined,
      skipped: [{ key: 's/3/manifest.json' }, { key: 's/2/manifest.json' }, { reason: 'the stream was made anew' }],
    });
    expect(await loadNewestSnapshot(store, 'nowhere', options())).toEqual({ snapshot: undefined, skipped: [] });
  });

  it('a store that is away is no bad snapshot', async () => {
    const away = { ...createMemoryStore(), list: () => Promise.reject(new Error('ECONNREFUSED')) };
    await expect(loadNewestSnapshot(away, 's', options())).rejects.toThrow('ECONNREFUSED');
  });

  it('the newest stay, and what was just written', async () => {
    const store = createMemoryStore();
    for (let run = 1; run <= 5; run++)
      await saveSnapshotEntries(
        store,
        `s/${run}`,
        [entryOf(mixedIndex(5))],
        { VECTORS: run === 5 ? 1 : run },
        createdAt,
      );
    await store.put('s/0/0-documents-workers.body', [Buffer.of(1)]);
    await store.put('s/6/0-documents-workers.body', [Buffer.of(1)]);
    await store.put('rebuilds/1/manifest.json', [Buffer.of(1)]);
    const gone = await pruneSnapshots(store, 's', 2, 's/5/manifest.json');
    expect(gone.slice(0, 2)).toEqual(['s/1/manifest.json', 's/2/manifest.json']);
    const folders = [...store.bodies.keys()].map((one) => one.split('/').slice(0, 2).join('/'));
    // s/0 broke off long ago; s/6 may be on its way.
    expect([...new Set(folders)].sort()).toEqual(['rebuilds/1', 's/3', 's/4', 's/5', 's/6']);
    expect(await pruneSnapshots(store, 's', 2, 's/5/manifest.json')).toEqual([]);
  });
});
