import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatSpace } from '../../../schemas/space.ts';
import { failpoint } from '../../../streams/failpoints.ts';
import type { ObjectStore, StoredObject } from '../../../streams/object-store.ts';
import { indexParts } from '../corpus-index.ts';
import { inspectGraphFile } from './hnsw-file.ts';
import { encodeManifest, manifestName, type SnapshotBody, type SnapshotLog, snapshotVersion } from './manifest.ts';
import { type BodySource, type BodySummary, writeBody } from './write-body.ts';

/** A snapshot could not be written, or was not what was written when it was read back. Nothing of it is left. */
export class SnapshotError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'SnapshotError';
  }
}

export interface SnapshotOptions {
  /** Where graph files lie while they are written or read: as large as the vectors and a tenth. Default: the system's. */
  readonly scratchDirectory?: string;
}

export interface SaveOptions extends SnapshotOptions {
  /** Which lives of the streams were folded. */
  readonly log?: SnapshotLog;
}

/**
 * Writes a snapshot of several indexes into a folder of its own: the bodies, each read back and compared, and the manifest
 * last, so that a snapshot without one is none. Searches go on; graphs stand still.
 *
 * Writes may go on too: a document is told as it is when its turn comes, so that the snapshot is the state at `checkpoint`
 * joined with some of what came after, and folding the streams from `checkpoint` on makes it equal again. For the state of
 * exactly one position, hold the folds.
 * @param checkpoint how far each stream was folded before this was called
 * @returns the key of the manifest
 * @throws SnapshotError where the store or the disk failed; try again later
 */
export async function saveSnapshotEntries(
  store: ObjectStore,
  folder: string,
  entries: Iterable<BodySource>,
  checkpoint: Readonly<Record<string, number>>,
  createdAt: string,
  options: SaveOptions = {},
): Promise<string> {
  const at = { ...checkpoint };
  const written: string[] = [];
  const bodies: SnapshotBody[] = [];
  try {
    for (const entry of entries) {
      const key = `${folder}/${bodies.length}-${entry.kind}-${entry.corpus}.body`;
      written.push(key);
      bodies.push(await saveBody(store, key, entry, options));
    }
    failpoint('bodies-written');
    const manifest = encodeManifest({
      format: 'lakehouse.snapshot',
      version: snapshotVersion,
      created_at: createdAt,
      checkpoint: at,
      bodies,
      ...(options.log === undefined ? {} : { log: options.log }),
    });
    const key = `${folder}/${manifestName}`;
    written.push(key);
    await verify(store, key, await store.put(key, [Buffer.from(manifest, 'utf8')]));
    failpoint('manifest-written');
    return key;
  } catch (error) {
    for (const key of written.reverse()) await store.delete(key).catch(() => undefined);
    if (error instanceof SnapshotError) throw error;
    throw new SnapshotError(
      `no snapshot was written: ${error instanceof Error ? error.message : String(error)}`,
      error,
    );
  }
}

async function saveBody(
  store: ObjectStore,
  key: string,
  source: BodySource,
  { scratchDirectory = tmpdir() }: SnapshotOptions,
): Promise<SnapshotBody> {
  const { kind, corpus, index } = source;
  const { maintenance } = indexParts(index);
  const release = maintenance.freeze();
  const hasGraph = maintenance.serving.graph !== undefined;
  const scratch = hasGraph ? await mkdtemp(join(scratchDirectory, 'lakehouse-graph-')) : undefined;
  try {
    const graphFile = scratch === undefined ? undefined : await saveGraph(source, join(scratch, 'graph'));
    let summary: BodySummary | undefined;
    const stored = await store.put(
      key,
      writeBody(source, graphFile, (told) => {
        summary = told;
      }),
    );
    await verify(store, key, stored);
    if (summary === undefined) throw new SnapshotError(`the store did not take all of ${key}`);
    return { key, kind, corpus, space: formatSpace(index.space), distance: index.distance, ...stored, ...summary };
  } finally {
    release();
    if (scratch !== undefined) await rm(scratch, { recursive: true, force: true });
  }
}

async function saveGraph({ corpus, index }: BodySource, path: string): Promise<string | undefined> {
  const { graph, watermark } = indexParts(index).maintenance.serving;
  if (graph === undefined) return undefined;
  await graph.writeFile(path);
  const inspection = await inspectGraphFile(path, index.space.dimension, watermark);
  if (!inspection.ok)
    throw new SnapshotError(`the graph of "${corpus}" was not written whole (is the disk full?): ${inspection.reason}`);
  return path;
}

/** Reads an object back: what is stored has to be what was given. */
async function verify(store: ObjectStore, key: string, { bytes, sha256 }: StoredObject): Promise<void> {
  const found = await store.readBack(key);
  if (found === undefined) throw new SnapshotError(`${key} is not there after it was written`);
  if (found.bytes !== bytes || found.sha256 !== sha256)
    throw new SnapshotError(`${key} is not what was written when it is read back`);
}
