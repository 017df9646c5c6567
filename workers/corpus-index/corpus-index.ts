import type { Space } from '../../schemas/space.ts';
import type { CompiledFilter } from '../metadata-filter/metadata-filter.ts';
import type { Spoken } from '../registers/registers.ts';
import { type Applied, applyRecord, contentPlace, countsOf, type VectorRecord } from './apply.ts';
import { createDocumentTable, type DocumentTable } from './document-table.ts';
import { createFilters } from './filter/matching.ts';
import { compareIds } from './id-order.ts';
import { sortLazily } from './lazy-sort.ts';
import { createMaintenance, type Maintenance } from './maintenance.ts';
import { exactDistance, prepareQuery, type Query, readyQuery } from './metric.ts';
import { type Distance, defaultParameters, type IndexParameters } from './parameters.ts';
import { createEfTuner, type RecallMeasurement } from './recall/tuner.ts';
import { type Hit, type SearchContext, type SearchOptions, searchGeneration } from './search.ts';
import { type Found, type SelectedOptions, searchSelected } from './search-selected.ts';

export type { Applied, VectorRecord } from './apply.ts';
export type { Query } from './metric.ts';
export type { Distance, IndexParameters } from './parameters.ts';
export type { RecallMeasurement } from './recall/tuner.ts';
export type { Hit, SearchOptions } from './search.ts';
export type { Found } from './search-selected.ts';

/** The registers of a document, its vector told by its content hash alone. */
export interface KnownDocument {
  /** `after` where it was put weakly; `truncated` where only the beginning of its text was embedded. */
  readonly content: Spoken & { readonly hash: string | null; readonly truncated?: true };
  readonly metadata: { readonly version: number; readonly json: string | null };
}

/** One document of an index, living or not; `vector` is a view, valid until the next `apply`. */
export interface IndexedDocument extends KnownDocument {
  readonly id: string;
  readonly slot: number;
  readonly vector: Float32Array | null;
}

export interface IndexStats {
  readonly live: number;
  readonly tombstones: number;
  readonly graph: boolean;
  /** Vectors kept, of which `dead` belong to no document any more. */
  readonly vectors: number;
  readonly dead: number;
  /** Vectors behind the graph, which are scanned. */
  readonly tail: number;
  readonly compacting: boolean;
  readonly vectorBytes: number;
  /** What filters need beside the documents, about. */
  readonly filterBytes: number;
}

/**
 * One corpus in one space, in memory: what its documents' registers hold, and their nearest neighbours. A write can be
 * searched as soon as `apply` returns. Documents enter the graph later, in `apply` and `step`, one insertion at a time.
 */
export interface CorpusIndex {
  readonly space: Space;
  readonly distance: Distance;
  readonly parameters: IndexParameters;
  /** Living documents. */
  readonly size: number;
  /** Ids that are known and not alive: deleted, moved to another space, or only metadata was said of them. */
  readonly tombstones: number;
  /**
   * Joins a record into what is known. `older` where it brings nothing new. A vector fault, or `index_full` (4 GiB of
   * vectors), refuses the record and changes nothing. At most two insertions into a graph happen here.
   */
  apply(record: VectorRecord): Applied;
  /**
   * The `k` nearest documents, by ascending distance, ties by id.
   * @throws RangeError for a query of a wrong dimension, with values that are not finite, or (cosine) of norm zero
   */
  search(query: ArrayLike<number> | Query, k: number, options?: SearchOptions): Hit[];
  /**
   * The `k` nearest of the documents that a filter admits and that are not excluded: k of them whenever so many there are.
   * @throws as `search`
   */
  searchWithin(query: ArrayLike<number> | Query, k: number, options: WithinOptions): Found;
  /**
   * How far living documents are from the query, in their order; undefined for an id that is not alive.
   * @throws as `search`
   */
  distances(query: ArrayLike<number> | Query, ids: readonly string[]): (number | undefined)[];
  /**
   * Gets ready for a filter that names fields which no filter named before, a part at a time, so that a long index keeps
   * nobody waiting; false where all is ready. `searchWithin` does it in one go where it was not done.
   */
  prepareFilter(filter: CompiledFilter): boolean;
  /** Makes a query ready, for searches that ask it again. @throws RangeError as `search` */
  prepare(query: ArrayLike<number>): Query;
  /** What is known of an id, also where it is not alive. */
  lookup(id: string): KnownDocument | undefined;
  /** A copy of the logged vector of a living document. */
  vector(id: string): Float32Array | undefined;
  metadataJson(slot: number): string | null;
  /** Whether only the beginning of its text was embedded. */
  isTruncated(id: string): boolean;
  /** Whether the document is alive. */
  has(id: string): boolean;
  /** The ids that are alive. */
  ids(): IterableIterator<string>;
  /** Everything known when it is called, by id in the order of its UTF-8 bytes. */
  entries(): IterableIterator<IndexedDocument>;
  /** Background work: at most one insertion. Returns whether more is left. */
  step(): boolean;
  /**
   * Background work: some milliseconds of measuring recall, where the graph has changed much since that was done, and in the
   * end searches with the smallest `ef` that meets the target. Returns whether more is left.
   */
  tune(target: number): boolean;
  /** What was measured last; undefined where nothing was, as without a graph. */
  recall(): RecallMeasurement | undefined;
  /** Insertions into graphs so far: changes whenever `apply` or `step` took long. */
  insertions(): number;
  stats(): IndexStats;
}

export interface CorpusIndexOptions {
  readonly space: Space;
  readonly distance: Distance;
  readonly parameters?: Partial<IndexParameters>;
}

export interface WithinOptions extends SelectedOptions {
  readonly filter?: CompiledFilter | undefined;
  /** Ids that are left out; those that are not there do not matter. */
  readonly excludeIds?: Iterable<string> | undefined;
}

/** What an index is made of, for the code that writes and reads snapshots. */
export interface IndexParts {
  readonly table: DocumentTable;
  readonly maintenance: Maintenance;
}

const partsOf = new WeakMap<CorpusIndex, IndexParts>();

export function createCorpusIndex(options: CorpusIndexOptions): CorpusIndex {
  const { space, distance } = options;
  const parameters = { ...defaultParameters, ...options.parameters };
  const maintenance = createMaintenance({ dimension: space.dimension, distance, parameters });
  return assembleIndex({ space, distance, parameters }, { table: createDocumentTable(), maintenance });
}

/** The parts of an index. They are its own: only snapshots look at them. */
export function indexParts(index: CorpusIndex): IndexParts {
  const parts = partsOf.get(index);
  if (parts === undefined) throw new Error('not an index of this module');
  return parts;
}

/** Puts an index together from parts, new ones or such as a snapshot held. */
export function assembleIndex(
  { space, distance, parameters }: Required<CorpusIndexOptions> & { readonly parameters: IndexParameters },
  parts: IndexParts,
): CorpusIndex {
  const { table, maintenance } = parts;
  const { dimension } = space;

  const alive = (slot: number | undefined): slot is number => slot !== undefined && table.contentHash(slot) !== null;
  const known = (slot: number): KnownDocument => ({
    content: {
      ...contentPlace(table, slot),
      hash: table.contentHash(slot),
      ...(table.truncated(slot) ? { truncated: true } : {}),
    },
    metadata: { version: table.metadataVersion(slot), json: table.metadataJson(slot) },
  });

  const describe = (slot: number): IndexedDocument => {
    const label = maintenance.serving.labelOf(slot);
    const vector = label < 0 ? null : maintenance.serving.arena.view(label);
    return { id: table.id(slot), slot, vector, ...known(slot) };
  };

  const filters = createFilters(table);
  const tuner = createEfTuner();
  let tuned = parameters;
  const context = (): SearchContext => ({
    generation: maintenance.serving,
    dimension,
    distance,
    parameters: tuned,
    live: table.live,
    idOf: table.id,
  });
  const livingSlots = (ids: Iterable<string>): Set<number> => {
    const slots = new Set<number>();
    for (const id of ids) {
      const slot = table.find(id);
      if (alive(slot)) slots.add(slot);
    }
    return slots;
  };

  const index: CorpusIndex = {
    space,
    distance,
    parameters,
    get size() {
      return table.live;
    },
    get tombstones() {
      return table.count - table.live;
    },
    apply: (record) => applyRecord(record, { table, maintenance, dimension, distance, onMetadata: filters.onMetadata }),
    search: (query, k, options = {}) => searchGeneration(query, k, options, context()),
    searchWithin: (query, k, { filter, excludeIds, ...options }) => {
      if (maintenance.serving.graph !== undefined) tuner.onQuery('scanned' in query ? query.values : query);
      const matching = filter === undefined || filter.fields.length === 0 ? undefined : filters.match(filter);
      if (matching === undefined && excludeIds === undefined)
        return { hits: searchGeneration(query, k, options, context()), refused: 0 };
      return searchSelected(query, k, { matching, excluded: livingSlots(excludeIds ?? []) }, options, context());
    },
    distances: (query, ids) => {
      const prepared = readyQuery(query, dimension, distance);
      const { arena, labelOf } = maintenance.serving;
      return ids.map((id) => {
        const slot = table.find(id);
        const label = slot === undefined ? -1 : labelOf(slot);
        return label < 0 ? undefined : exactDistance(distance, prepared, arena, label);
      });
    },
    prepareFilter: filters.prepareSome,
    prepare: (query) => prepareQuery(query, dimension, distance),
    lookup: (id) => {
      const slot = table.find(id);
      return slot === undefined ? undefined : known(slot);
    },
    vector: (id) => {
      const slot = table.find(id);
      const label = slot === undefined ? -1 : maintenance.serving.labelOf(slot);
      return label < 0 ? undefined : maintenance.serving.arena.view(label).slice();
    },
    metadataJson: table.metadataJson,
    isTruncated: (id) => {
      if (!table.anyTruncated) return false;
      const slot = table.find(id);
      return slot !== undefined && table.truncated(slot);
    },
    has: (id) => alive(table.find(id)),
    ids: function* () {
      for (let slot = 0; slot < table.count; slot++) if (alive(slot)) yield table.id(slot);
    },
    entries: function* () {
      const slots = new Uint32Array(table.count);
      for (let slot = 0; slot < slots.length; slot++) slots[slot] = slot;
      const byId = (one: number, other: number) => compareIds(table.id(one), table.id(other));
      for (const slot of sortLazily(slots, byId)) yield describe(slot);
    },
    step: () => {
      maintenance.work(countsOf(table));
      return maintenance.hasWork();
    },
    tune: (target) => {
      if (parameters.efFixed) return false;
      const more = tuner.step(target, context(), maintenance.insertions);
      tuned = { ...parameters, ef: tuner.ef ?? parameters.ef };
      return more;
    },
    recall: () => tuner.measured,
    insertions: () => maintenance.insertions,
    stats: () => ({ ...describeStats(parts), filterBytes: filters.bytes }),
  };
  partsOf.set(index, parts);
  return index;
}

function describeStats({ table, maintenance: { serving, compacting } }: IndexParts): Omit<IndexStats, 'filterBytes'> {
  const { arena, graph, dead, watermark } = serving;
  return {
    live: table.live,
    tombstones: table.count - table.live,
    graph: graph !== undefined,
    vectors: arena.count,
    dead,
    tail: arena.count - watermark,
    compacting,
    vectorBytes: arena.bytes,
  };
}
