import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { systemClock } from '../../streams/clock.ts';
import { createLocalObjectStore } from '../../streams/local-object-store.ts';
import { type ObjectFault, objectFaults, withObjectFaults } from '../../streams/testing/faulty-object-store.ts';
import { createIndexCatalogue } from '../corpus-index/catalogue.ts';
import { createCorpusIndex } from '../corpus-index/corpus-index.ts';
import { loadNewestSnapshot, SnapshotError } from '../corpus-index/snapshots.ts';
import { clustered, upsert } from '../corpus-index/testing/model.ts';
import { startSnapshots } from './snapshots.ts';

const dimension = 4;
let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lakehouse-index-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const harmful = objectFaults.filter((fault) => fault !== 'slow');

it.each(harmful)(
  'reference 10.44: a snapshot that fails (%s) changes nothing, and the next one is taken',
  async (fault) => {
    const space = { model: 'test', dimension, prefixScheme: 'none' as const };
    const index = createCorpusIndex({ space, distance: 'cosine' });
    for (const [place, vector] of clustered(10, dimension, 2, 0.5, 1).entries())
      index.apply(upsert(`w-${place}`, place + 1, vector));
    const catalogue = createIndexCatalogue('test@4');
    catalogue.set({ kind: 'documents', corpus: 'workers', space: 'test@4', side: null, index });
    const plain = createLocalObjectStore(directory);
    let current: ObjectFault | undefined = fault;
    const logged: string[] = [];
    const note = (_: object, message: string) => void logged.push(message);
    const snapshots = startSnapshots({
      store: withObjectFaults(plain, (operation) => (operation === 'put' ? current : undefined)),
      catalogue,
      position: () => ({ VECTORS: 10, PLAYBOOKS: 0 }),
      clock: systemClock,
      log: { debug: note, info: note, warn: note, error: note },
      logOf: async () => ({ VECTORS: { created_at: '2026-11-21T00:00:00Z', stored_at: null } }),
      intervalMs: 0,
      kept: 2,
      newest: null,
      bootedAt: {},
      instance: 'index-1',
    });
    const request = {
      body: Buffer.from('{}'),
      position: {},
      traceId: undefined,
      traceparent: undefined,
      deadlineAtMs: Number.POSITIVE_INFINITY,
    };
    const take = async () => snapshots.endpoint(request);
    await expect(take()).rejects.toThrow(SnapshotError);
    expect(snapshots.newest()).toBeNull();
    expect(logged).toContain('a snapshot could not be taken; the next one tries again');
    expect((await loadNewestSnapshot(plain, 'snapshots')).snapshot).toBeUndefined();
    expect(index.size).toBe(10);

    current = undefined;
    await take();
    expect(snapshots.newest()?.key).toMatch(/^snapshots\/.*index-1\/manifest\.json$/);
    expect((await loadNewestSnapshot(plain, 'snapshots')).snapshot?.checkpoint).toEqual({ VECTORS: 10, PLAYBOOKS: 0 });
    await snapshots.stop();
  },
);
