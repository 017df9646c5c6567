import { type VectorFault, vectorFault } from '../../schemas/vector.ts';
import { outranks, type Registers, type Spoken } from '../registers/registers.ts';
import type { DocumentTable } from './document-table.ts';
import type { Counts, Maintenance } from './maintenance.ts';
import type { Distance } from './parameters.ts';
import { sameBytes } from './twins.ts';

export interface StoredContent {
  readonly hash: string;
  readonly vector: Float32Array;
  /** Whether only the beginning of its text was embedded. */
  readonly truncated?: boolean;
}

/** The state of one document in the space of the index. The vector is copied; what it was given from may change. */
export interface VectorRecord {
  readonly id: string;
  readonly registers: Registers<StoredContent>;
  /** The metadata that weak content brings along. */
  readonly weakJson?: string | null;
}

export type Applied = 'applied' | 'older' | VectorFault | 'index_full';

export interface ApplyTarget {
  readonly table: DocumentTable;
  readonly maintenance: Maintenance;
  readonly dimension: number;
  readonly distance: Distance;
  readonly onMetadata: (slot: number, json: string | null) => void;
}

const insertionsPerApply = 2;

/** Joins a record into what is known of its document, register by register, and does a little of the waiting work. */
export function applyRecord(record: VectorRecord, target: ApplyTarget): Applied {
  const { id, registers, weakJson = null } = record;
  const { content, metadata } = registers;
  const { table, maintenance, dimension, distance, onMetadata } = target;
  const found = table.find(id);
  const newContent = isNewContent(content, found, table);
  const newMetadata = metadata.version > (found === undefined ? 0 : table.spokenMetadata(found).version);
  if (!newContent && !newMetadata) return 'older';
  if (newContent && content.value !== null) {
    const fault = vectorFault(content.value.vector, dimension);
    if (fault !== undefined && (fault !== 'vector_zero_norm' || distance === 'cosine')) return fault;
  }
  const slot = found ?? table.count;
  if (newContent && !writeVector(slot, content.value?.vector ?? null, maintenance)) return 'index_full';
  table.add(id);
  const countedBefore = table.metadataJson(slot);
  const weak = content.after === undefined ? undefined : { after: content.after, json: weakJson };
  if (newContent) table.setContent(slot, content.version, content.value?.hash ?? null, content.value?.truncated, weak);
  if (newMetadata) table.setMetadata(slot, metadata.version, metadata.json);
  const counted = table.metadataJson(slot);
  if (counted !== countedBefore) onMetadata(slot, counted);
  for (let unit = 0; unit < insertionsPerApply && maintenance.work(countsOf(table)); unit++);
  return 'applied';
}

const unspoken: Spoken = { version: 0 };

/** Of contents in one place the one that is there counts: a space may be another's beside and one that was left at once. */
function isNewContent(
  content: VectorRecord['registers']['content'],
  found: number | undefined,
  table: DocumentTable,
): boolean {
  if (found === undefined) return outranks(content, unspoken);
  const known = contentPlace(table, found);
  if (outranks(content, known)) return true;
  return content.value !== null && table.contentHash(found) === null && !outranks(known, content);
}

/** Where the content of a slot stands in the order of what was said. */
export function contentPlace(table: DocumentTable, slot: number): Spoken {
  return { version: table.contentVersion(slot), after: table.weakness(slot)?.after };
}

function writeVector(slot: number, vector: Float32Array | null, maintenance: Maintenance): boolean {
  const label = maintenance.serving.labelOf(slot);
  if (vector === null) return label < 0 || maintenance.write(slot, null);
  // Content said again unchanged advances its version and leaves the vector where it is.
  if (label >= 0 && sameBytes(maintenance.serving.arena.view(label), vector)) return true;
  return maintenance.write(slot, vector);
}

export function countsOf({ live, count }: DocumentTable): Counts {
  return { live, slots: count };
}
