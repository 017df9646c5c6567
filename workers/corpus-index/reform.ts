import type { CorpusState } from '../../schemas/events/corpus.ts';
import { declarationOf, dropFloor } from '../documents/corpus-state.ts';
import { type Content, type Metadata, outranks } from '../registers/registers.ts';
import { contentPlace, type StoredContent, type VectorRecord } from './apply.ts';
import { assembleIndex, type CorpusIndex, indexParts } from './corpus-index.ts';
import { createDocumentTable, type DocumentTable } from './document-table.ts';
import { createMaintenance, type Maintenance } from './maintenance.ts';
import { type Distance, defaultParameters, type IndexParameters } from './parameters.ts';

/** What the state of a corpus asks of an index of it. */
export interface Demands {
  /** Nothing that stands before this sequence of INGEST lives. */
  readonly floor: number;
  readonly distance: Distance;
  readonly parameters: Partial<IndexParameters>;
}

export function demandsOf(state: CorpusState | undefined): Demands {
  const declared = declarationOf(state);
  const m = declared?.m ?? null;
  const ef = declared?.ef_search ?? null;
  return {
    floor: dropFloor(state),
    distance: declared?.distance ?? 'cosine',
    parameters: { ...(m === null ? {} : { m }), ...(ef === null ? {} : { ef, efFixed: true }) },
  };
}

/** What is left of a record behind a drop; undefined where nothing is. */
export function recordBehind(record: VectorRecord, floor: number): VectorRecord | undefined {
  const { content, metadata } = record.registers;
  const keepsContent = outranks(content, { version: floor });
  const keepsMetadata = metadata.version > floor;
  if (floor === 0 || (keepsContent && (keepsMetadata || metadata.version === 0))) return record;
  if (!keepsContent && !keepsMetadata) return undefined;
  const registers: VectorRecord['registers'] = {
    content: keepsContent ? content : { version: 0, value: null },
    metadata: keepsMetadata ? metadata : { version: 0, json: null },
  };
  return { ...record, registers };
}

/**
 * The index as its corpus asks for it now: itself where that is how it is, else a new one of what outlives the drop, with
 * the distance and the parameters that are declared. Vectors are copied at once; graphs are made later, step by step.
 */
export function reformed(index: CorpusIndex, { floor, distance, parameters: asked }: Demands): CorpusIndex {
  const { m, ef, efFixed } = { ...defaultParameters, ...asked };
  const { parameters } = index;
  const same =
    index.distance === distance && parameters.m === m && parameters.ef === ef && parameters.efFixed === efFixed;
  if (same && !holdsDropped(index, floor)) return index;
  const table = createDocumentTable();
  const changed = { ...parameters, m, ef, efFixed };
  const maintenance = createMaintenance({ dimension: index.space.dimension, distance, parameters: changed });
  for (const record of recordsOf(index)) {
    const left = recordBehind(record, floor);
    if (left !== undefined) takeOver(left, table, maintenance);
  }
  return assembleIndex({ space: index.space, distance, parameters: changed }, { table, maintenance });
}

/** As applying it to an empty index would, without a graph in between. */
function takeOver(record: VectorRecord, table: DocumentTable, maintenance: Maintenance): void {
  const { content, metadata } = record.registers;
  const slot = table.add(record.id);
  const { version, after, value } = content;
  if (value !== null && !maintenance.write(slot, value.vector))
    throw new RangeError('what one index held does not fit into another');
  const weak = after === undefined ? undefined : { after, json: record.weakJson ?? null };
  table.setContent(slot, version, value?.hash ?? null, value?.truncated, weak);
  table.setMetadata(slot, metadata.version, metadata.json);
}

function holdsDropped(index: CorpusIndex, floor: number): boolean {
  if (floor === 0) return false;
  const { table } = indexParts(index);
  const before = (version: number) => version > 0 && version <= floor;
  for (let slot = 0; slot < table.count; slot++) {
    const content = contentPlace(table, slot);
    if (content.version > 0 && !outranks(content, { version: floor })) return true;
    if (before(table.spokenMetadata(slot).version)) return true;
  }
  return false;
}

/** Everything that is known, register by register. Vectors are views. */
function* recordsOf(index: CorpusIndex): Generator<VectorRecord> {
  const { table, maintenance } = indexParts(index);
  const { serving } = maintenance;
  for (let slot = 0; slot < table.count; slot++) {
    const hash = table.contentHash(slot);
    const label = serving.labelOf(slot);
    const truncated = table.truncated(slot);
    const value = hash === null || label < 0 ? null : { hash, vector: serving.arena.view(label), truncated };
    const content: Content<StoredContent> = { ...contentPlace(table, slot), value };
    const metadata: Metadata = table.spokenMetadata(slot);
    yield { id: table.id(slot), registers: { content, metadata }, weakJson: table.weakness(slot)?.json ?? null };
  }
}
