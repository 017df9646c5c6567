import type { Space } from '../../schemas/space.ts';
import { vectorFault } from '../../schemas/vector.ts';
import { createVectorArena, normOf, type VectorArena } from './arena.ts';
import { createGraph, type Graph, type GraphParameters, graphDefaults } from './graph.ts';
import { createNearest } from './nearest.ts';

/** Two registers, each with the version that spoke last; see `documents/`. */
export interface Registers<Content> {
  readonly content: { readonly version: number; readonly value: Content | null };
  readonly metadata: { readonly version: number; readonly json: string | null };
}

export interface VectorRecord {
  readonly id: string;
  readonly registers: Registers<{ readonly hash: string; readonly vector: Float32Array }>;
}

/** What is known of a document: `hash` is null for a tombstone. */
export interface KnownDocument {
  readonly content: { readonly version: number; readonly hash: string | null };
  readonly metadata: { readonly version: number; readonly json: string | null };
}

export interface Hit {
  readonly id: string;
  readonly distance: number;
  readonly slot: number;
}

export interface SearchOptions {
  /** Which slots may be found; must not throw. */
  readonly accept?: (slot: number) => boolean;
  readonly ef?: number;
  /** By exact scan, whatever the size. */
  readonly exact?: boolean;
}

export interface CorpusIndexOptions {
  readonly space: Space;
  readonly distance: 'cosine';
  readonly parameters?: Partial<GraphParameters>;
}

export interface CorpusIndex {
  /** Joins what a record says with what is known. At most two graph insertions. */
  apply(record: VectorRecord): 'applied' | 'older' | 'refused';
  /** The nearest living documents, ascending by distance, ties by id. */
  search(query: ArrayLike<number>, k: number, options?: SearchOptions): Hit[];
  lookup(id: string): KnownDocument | undefined;
  has(id: string): boolean;
  /** A copy of the vector as it was logged. */
  vector(id: string): Float32Array | undefined;
  metadataJson(slot: number): string | null;
  /** Ids of living documents, in no particular order. */
  ids(): IterableIterator<string>;
  /** Every id ever heard of, tombstones too, in no particular order. */
  allIds(): IterableIterator<string>;
  /** Living documents. */
  readonly size: number;
  readonly tombstones: number;
  /** Does at most one insertion of what is left to do; says whether more is. */
  step(): boolean;
  /** Graph insertions so far. */
  insertions(): number;
  stats(): { readonly graph: boolean; readonly slots: number; readonly dead: number; readonly bytes: number };
}

const insertionsPerApply = 2;

interface Document {
  slot: number;
  contentVersion: number;
  hash: string | null;
  metadataVersion: number;
  metadataJson: string | null;
}

/** An arena with the graph over its first slots; replaced as a whole when too much of it is dead. */
interface Generation {
  readonly arena: VectorArena;
  /** slot -> id; undefined where the slot is dead. */
  readonly ids: (string | undefined)[];
  graph: Graph | undefined;
  /** Slots below are in the graph, or died before they came to it. */
  watermark: number;
  dead: number;
}

/**
 * Documents of one corpus in one space: registers, metadata and vectors, searched exactly while they are few and by an HNSW
 * graph with an exact scan over what is not in it yet, so that a document is found from the moment it is applied.
 */
export function createCorpusIndex({ space, parameters }: CorpusIndexOptions): CorpusIndex {
  const settings: GraphParameters = { ...graphDefaults, ...parameters };
  const documents = new Map<string, Document>();
  let current = createGeneration(space.dimension);
  let next: { generation: Generation; copied: number; moved: Map<number, number> } | undefined;
  let live = 0;
  let inserted = 0;

  const put = (generation: Generation, id: string, vector: Float32Array): number => {
    const slot = generation.arena.append(vector);
    generation.ids[slot] = id;
    return slot;
  };
  const kill = (generation: Generation, slot: number) => {
    generation.ids[slot] = undefined;
    generation.dead++;
    if (slot < generation.watermark) generation.graph?.remove(slot);
  };
  const drop = (document: Document) => {
    if (document.slot < 0) return;
    const moved = next?.moved.get(document.slot);
    if (next !== undefined && moved !== undefined) kill(next.generation, moved);
    kill(current, document.slot);
    document.slot = -1;
    live--;
  };

  /** Puts the next slot into the graph; false where none is left. */
  const insertOne = (generation: Generation): boolean => {
    const count = generation.arena.count();
    while (generation.watermark < count && generation.ids[generation.watermark] === undefined) generation.watermark++;
    if (generation.watermark >= count) return false;
    generation.graph ??= createGraph(space.dimension, settings);
    generation.graph.insert(generation.arena.toArray(generation.watermark), generation.watermark);
    generation.watermark++;
    inserted++;
    return true;
  };

  const step = (): boolean => {
    if (
      next === undefined &&
      current.dead >= settings.compactDeadMin &&
      current.dead > current.arena.count() * settings.compactDeadPart
    )
      next = { generation: createGeneration(space.dimension), copied: 0, moved: new Map() };
    if (next !== undefined) return compactOne();
    if (live < settings.exactBelow && current.graph === undefined) return false;
    return insertOne(current);
  };

  /** Carries one living slot over; when none is left the new generation takes over. */
  const compactOne = (): boolean => {
    if (next === undefined) return false;
    const { generation, moved } = next;
    const count = current.arena.count();
    while (next.copied < count && current.ids[next.copied] === undefined) next.copied++;
    const id = current.ids[next.copied];
    if (next.copied < count && id !== undefined) {
      moved.set(next.copied, put(generation, id, current.arena.read(next.copied)));
      next.copied++;
      if (live >= settings.exactBelow) insertOne(generation);
      return true;
    }
    if (live >= settings.exactBelow && insertOne(generation)) return true;
    for (const [slot, target] of moved) {
      const owner = current.ids[slot];
      const document = owner === undefined ? undefined : documents.get(owner);
      if (document !== undefined && document.slot === slot) document.slot = target;
    }
    current = generation;
    next = undefined;
    return true;
  };

  const sameVector = (document: Document, vector: Float32Array) => {
    const kept = current.arena.read(document.slot);
    return Buffer.compare(bytesOf(kept), bytesOf(vector)) === 0;
  };

  const applyContent = (document: Document, id: string, content: VectorRecord['registers']['content']) => {
    document.contentVersion = content.version;
    const { value } = content;
    // The same content again: only its version moves on.
    if (value !== null && document.slot >= 0 && document.hash === value.hash && sameVector(document, value.vector))
      return;
    drop(document);
    document.hash = value?.hash ?? null;
    if (value === null) return;
    document.slot = put(current, id, value.vector);
    live++;
  };

  const scan = (
    query: ArrayLike<number>,
    k: number,
    from: number,
    options: SearchOptions,
    found = createNearest(k),
  ) => {
    current.arena.scan(query, from, current.arena.count(), (slot, distance) => {
      if (distance < found.bound() && current.ids[slot] !== undefined && (options.accept?.(slot) ?? true))
        found.offer(slot, distance);
    });
    return found;
  };

  const finish = (query: ArrayLike<number>, slots: readonly number[], k: number): Hit[] => {
    const norm = normOf(query);
    const hits = slots.map((slot) => ({
      id: current.ids[slot] ?? '',
      slot,
      distance: current.arena.distance(query, norm, slot),
    }));
    return hits.sort((one, other) => one.distance - other.distance || (one.id < other.id ? -1 : 1)).slice(0, k);
  };

  return {
    apply: ({ id, registers }) => {
      const { content, metadata } = registers;
      if (content.value !== null && vectorFault(content.value.vector, space.dimension) !== undefined) return 'refused';
      const known = documents.get(id);
      const document = known ?? { slot: -1, contentVersion: 0, hash: null, metadataVersion: 0, metadataJson: null };
      const newContent = content.version > document.contentVersion;
      const newMetadata = metadata.version > document.metadataVersion;
      if (!newContent && !newMetadata) return 'older';
      if (known === undefined) documents.set(id, document);
      if (newContent) applyContent(document, id, content);
      if (newMetadata) {
        document.metadataVersion = metadata.version;
        document.metadataJson = metadata.json;
      }
      for (let count = 0; count < insertionsPerApply; count++) step();
      return 'applied';
    },
    search: (query, k, options = {}) => {
      const { graph, watermark } = current;
      if (graph === undefined || options.exact === true) return finish(query, scan(query, k, 0, options).slots(), k);
      const near = graph.search(query, k, options.ef ?? settings.ef, options.accept);
      const found = createNearest(k);
      for (const { slot, distance } of near) found.offer(slot, distance);
      scan(query, k, watermark, options, found);
      const slots = found.slots();
      // A filter, or a graph with many dead, can hide documents that are there.
      if (slots.length < Math.min(k, live)) return finish(query, scan(query, k, 0, options).slots(), k);
      return finish(query, slots, k);
    },
    lookup: (id) => {
      const document = documents.get(id);
      if (document === undefined) return undefined;
      const { contentVersion, hash, metadataVersion, metadataJson } = document;
      return { content: { version: contentVersion, hash }, metadata: { version: metadataVersion, json: metadataJson } };
    },
    has: (id) => (documents.get(id)?.slot ?? -1) >= 0,
    vector: (id) => {
      const slot = documents.get(id)?.slot ?? -1;
      return slot < 0 ? undefined : current.arena.read(slot);
    },
    metadataJson: (slot) => documents.get(current.ids[slot] ?? '')?.metadataJson ?? null,
    ids: function* () {
      for (const [id, { slot }] of documents) if (slot >= 0) yield id;
    },
    allIds: () => documents.keys(),
    get size() {
      return live;
    },
    get tombstones() {
      return documents.size - live;
    },
    step,
    insertions: () => inserted,
    stats: () => ({
      graph: current.graph !== undefined,
      slots: current.arena.count(),
      dead: current.dead,
      bytes: current.arena.bytes(),
    }),
  };
}

function createGeneration(dimension: number): Generation {
  return { arena: createVectorArena(dimension), ids: [], graph: undefined, watermark: 0, dead: 0 };
}

function bytesOf(vector: Float32Array): Uint8Array {
  return new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength);
}
