import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ObjectStore } from '../../../streams/object-store.ts';
import type { IndexEntry } from '../catalogue.ts';
import { assembleIndex, type CorpusIndex } from '../corpus-index.ts';
import { createGeneration, type GraphImage } from '../generation.ts';
import { readGraph } from '../graph.ts';
import { digestOfIndex } from '../index-digest.ts';
import { createMaintenance } from '../maintenance.ts';
import { defaultParameters, type IndexParameters } from '../parameters.ts';
import { SnapshotFault } from './frames.ts';
import { inspectGraphFile } from './hnsw-file.ts';
import { readManifest, type SnapshotBody, type SnapshotManifest } from './manifest.ts';
import { type ReadBody, readBody } from './read-body.ts';
import type { SnapshotOptions } from './write-snapshot.ts';

export interface LoadOptions extends SnapshotOptions {
  readonly parameters?: Partial<IndexParameters>;
  /** What is asked of one index, beyond those. */
  readonly parametersOf?: (name: Pick<SnapshotBody, 'kind' | 'corpus'>) => Partial<IndexParameters>;
}

export interface LoadedSnapshot {
  readonly ok: true;
  readonly key: string;
  readonly createdAt: string;
  readonly checkpoint: Readonly<Record<string, number>>;
  readonly entries: readonly IndexEntry[];
  /** Graphs that were not sound and are built again from the vectors, step by step, while the index already answers. */
  readonly notes: readonly string[];
}

export type SnapshotOutcome = LoadedSnapshot | { readonly ok: false; readonly key: string; readonly reason: string };

/**
 * Loads a snapshot, all of it or nothing. Everything is checked before it is used: the manifest's checksum, each body's
 * size, hash, frames, name and counts, and the state digest of what came out of it; and a graph file before hnswlib sees
 * it. A graph alone that is not sound costs its rebuilding: the vectors are the truth.
 * @returns the reason where it is no sound snapshot. A store that is away throws.
 */
export async function loadSnapshotEntries(
  store: ObjectStore,
  manifestKey: string,
  options: LoadOptions = {},
): Promise<SnapshotOutcome> {
  try {
    return await loadManifest(store, manifestKey, await readManifest(store, manifestKey), options);
  } catch (error) {
    if (error instanceof SnapshotFault) return { ok: false, key: manifestKey, reason: error.message };
    throw error;
  }
}

async function loadManifest(
  store: ObjectStore,
  key: string,
  manifest: SnapshotManifest,
  options: LoadOptions,
): Promise<LoadedSnapshot> {
  const entries: IndexEntry[] = [];
  const notes: string[] = [];
  for (const body of manifest.bodies) {
    const index = await loadBody(store, body, options, (note) =>
      notes.push(`${body.corpus} in ${body.space}: ${note}`),
    );
    entries.push({ kind: body.kind, corpus: body.corpus, space: body.space, side: null, index });
  }
  return { ok: true, key, createdAt: manifest.created_at, checkpoint: manifest.checkpoint, entries, notes };
}

async function loadBody(
  store: ObjectStore,
  wanted: SnapshotBody,
  { scratchDirectory = tmpdir(), parameters: chosen, parametersOf }: LoadOptions,
  note: (text: string) => void,
): Promise<CorpusIndex> {
  const body = await store.get(wanted.key);
  if (body === undefined) throw new SnapshotFault(`${wanted.key} is not there`);
  let scratch: string | undefined;
  try {
    const read = await readBody(body, wanted, async () => {
      scratch = await mkdtemp(join(scratchDirectory, 'lakehouse-graph-'));
      return join(scratch, 'graph');
    });
    const { table, arena, slots, space } = read;
    const { distance } = wanted;
    const parameters = { ...defaultParameters, ...chosen, ...parametersOf?.(wanted) };
    const graph = await loadGraph(read, wanted, note);
    const options = { dimension: space.dimension, distance, parameters };
    const maintenance = createMaintenance(options, createGeneration(options, { arena, slots, graph }));
    const index = assembleIndex({ space, distance, parameters }, { table, maintenance });
    const digest = await digestOfIndex({ ...wanted, index });
    if (digest !== wanted.digest) throw new SnapshotFault(`what ${wanted.key} holds has another digest`);
    return index;
  } finally {
    if (scratch !== undefined) await rm(scratch, { recursive: true, force: true });
  }
}

/** The graph of a body that is sound itself; undefined where it has none, or none that can be trusted. */
async function loadGraph(
  { space, watermark, twins, representatives, graphFile: path }: ReadBody,
  { distance }: SnapshotBody,
  note: (text: string) => void,
): Promise<GraphImage | undefined> {
  if (path === undefined) return undefined;
  const inspection = await inspectGraphFile(path, space.dimension, watermark);
  if (!inspection.ok) {
    note(`the graph is built again: ${inspection.reason}`);
    return undefined;
  }
  const labels = new Set(inspection.labels);
  for (const representative of representatives)
    if (!labels.has(representative)) {
      note('the graph is built again: it does not hold all documents');
      return undefined;
    }
  try {
    return { graph: await readGraph(distance, space.dimension, path), watermark, twins };
  } catch (error) {
    note(`the graph is built again: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
}
