import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLocalObjectStore } from '../../../streams/local-object-store.ts';
import { type ObjectStore, ObjectStoreError } from '../../../streams/object-store.ts';
import { type ObjectFault, objectFaults, withObjectFaults } from '../../../streams/testing/faulty-object-store.ts';
import { type CorpusIndex, createCorpusIndex } from '../corpus-index.ts';
import { digestOfIndex } from '../index-digest.ts';
import { loadNewestSnapshot, SnapshotError, saveSnapshotEntries } from '../snapshots.ts';
import { clustered, upsert } from '../testing/model.ts';

const dimension = 8;
const space = { model: 'test', dimension, prefixScheme: 'none' as const };
const createdAt = '2026-11-21T00:00:00.000Z';
/** Operations of saving one snapshot of one index: two bodies put and read back. */
const savingOperations = 4;
/** A snapshot that holds one sequence more than the one before it. */
const [olderAt, newerAt] = [10, 11];

let directory = '';
let store: ObjectStore;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lakehouse-faults-'));
  store = createLocalObjectStore(join(directory, 'store'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

function indexOf(documents: number): CorpusIndex {
  const index = createCorpusIndex({ space, distance: 'cosine' });
  for (const [place, vector] of clustered(documents, dimension, 4, 0.5, 7).entries())
    index.apply(upsert(`w-${place}`, place + 1, vector, `{"n":${place}}`));
  return index;
}
const entryOf = (index: CorpusIndex) => ({ kind: 'documents' as const, corpus: 'workers', index });
const digestOf = (index: CorpusIndex) => digestOfIndex(entryOf(index));
const save = (to: ObjectStore, folder: string, index: CorpusIndex, sequence: number) =>
  saveSnapshotEntries(to, folder, [entryOf(index)], { VECTORS: sequence }, createdAt, { scratchDirectory: directory });
const load = (from: ObjectStore) => loadNewestSnapshot(from, 's', { scratchDirectory: directory });

/** The nth operation fails, the others do not. */
function failingAt(nth: number, fault: ObjectFault): ObjectStore & { readonly happened: () => boolean } {
  let count = 0;
  const faulty = withObjectFaults(store, () => (count++ === nth ? fault : undefined));
  return { ...faulty, happened: () => count > nth };
}

describe('a store that fails while a snapshot is taken', () => {
  const cases = objectFaults.flatMap((fault) => Array.from({ length: savingOperations }, (_, nth) => ({ fault, nth })));

  it.each(cases)(
    '$fault at operation $nth: the new one or the old one is loaded, never a wrong one',
    async ({ fault, nth }) => {
      const [older, newer] = [indexOf(20), indexOf(30)];
      await save(store, 's/1', older, olderAt);
      const faulty = failingAt(nth, fault);
      const saved = await save(faulty, 's/2', newer, newerAt).then(
        () => true,
        (error: unknown) => {
          expect(error).toBeInstanceOf(SnapshotError);
          return false;
        },
      );
      expect(faulty.happened()).toBe(true);
      const { snapshot, skipped } = await load(store);
      const loaded = snapshot?.entries[0]?.index;
      expect(snapshot?.checkpoint).toEqual({ VECTORS: saved ? newerAt : olderAt });
      expect(loaded && (await digestOf(loaded))).toBe(await digestOf(saved ? newer : older));
      expect(skipped).toEqual([]);
      // What could not be taken is taken at the next time.
      await save(store, 's/3', newer, newerAt + 1);
      expect((await load(store)).snapshot?.checkpoint).toEqual({ VECTORS: newerAt + 1 });
    },
  );

  it('no fault: the new one is loaded', async () => {
    await save(store, 's/1', indexOf(20), olderAt);
    const control = failingAt(savingOperations, 'unavailable');
    await save(control, 's/2', indexOf(30), newerAt);
    expect(control.happened()).toBe(false);
    expect((await load(store)).snapshot?.checkpoint).toEqual({ VECTORS: newerAt });
  });
});

describe('a store that fails while a snapshot is loaded', () => {
  /** A listing, two manifests and one body. */
  const cases = objectFaults.flatMap((fault) => Array.from({ length: 4 }, (_, nth) => ({ fault, nth })));

  it.each(cases)(
    'reference 10.41: $fault at operation $nth: a sound one, an older one, or a store that is away',
    async ({ fault, nth }) => {
      const [older, newer] = [indexOf(20), indexOf(30)];
      await save(store, 's/1', older, olderAt);
      await save(store, 's/2', newer, newerAt);
      const faulty = failingAt(nth, fault);
      const chosen = await load(faulty).catch((error: unknown) => {
        expect(error).toBeInstanceOf(ObjectStoreError);
        return undefined;
      });
      expect(faulty.happened()).toBe(true);
      const loaded = chosen?.snapshot;
      if (loaded !== undefined) {
        const [entry] = loaded.entries;
        const expected = loaded.checkpoint.VECTORS === newerAt ? newer : older;
        expect(entry && (await digestOf(entry.index))).toBe(await digestOf(expected));
      }
      if (fault === 'slow' || fault === 'disk full') expect(loaded?.checkpoint).toEqual({ VECTORS: newerAt });
      // The store is back: the newest is there.
      expect((await load(store)).snapshot?.checkpoint).toEqual({ VECTORS: newerAt });
    },
  );
});
