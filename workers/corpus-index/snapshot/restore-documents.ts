import type { Space } from '../../../schemas/space.ts';
import { vectorFault } from '../../../schemas/vector.ts';
import { type Arena, createArena } from '../arena.ts';
import { createDocumentTable, type DocumentTable } from '../document-table.ts';
import { compareIds } from '../id-order.ts';
import type { Distance } from '../parameters.ts';
import { createTwins, type Twins } from '../twins.ts';
import type { DocumentRow } from './body-format.ts';
import { SnapshotFault } from './frames.ts';

export interface RestoredDocuments {
  readonly table: DocumentTable;
  readonly arena: Arena;
  /** Per label its slot, or -1. */
  readonly slots: Int32Array;
  /** Which label stands for which in the graph. */
  readonly twins: Twins;
  /** The labels that the graph has to hold. */
  readonly representatives: ReadonlySet<number>;
}

export interface Restoration {
  /** Keeps the labels of the graph free for their vectors. Comes before the first documents. */
  reserve(watermark: number): void;
  /** Takes a list of documents and the vectors of the living ones among them. */
  add(rows: readonly DocumentRow[], vectors: Buffer): void;
  end(): RestoredDocuments;
}

/**
 * Builds the table and the arena of an index out of rows and vectors, a few at a time. All of its methods throw
 * SnapshotFault where those can not be.
 */
export function startRestoration(space: Space, distance: Distance): Restoration {
  const table = createDocumentTable();
  const arena = createArena(space.dimension);
  const twins = createTwins(arena.view);
  const representatives = new Set<number>();
  const labelsBySlot: number[] = [];
  // Frames lie at any byte; a vector is read from here.
  const vector = new Float32Array(space.dimension);
  const vectorBytes = new Uint8Array(vector.buffer);
  let watermark = 0;
  let previousId: string | undefined;

  const addRow = (row: DocumentRow): number => {
    const [id, contentVersion, hash, metadataVersion, json, , , truncated, after, weakJson = null] = row;
    if (previousId !== undefined && compareIds(previousId, id) >= 0)
      throw new SnapshotFault('the documents of the body are not in order');
    previousId = id;
    const slot = table.add(id);
    const weak = after === undefined ? undefined : { after, json: weakJson };
    table.setContent(slot, contentVersion, hash, truncated, weak);
    table.setMetadata(slot, metadataVersion, json);
    return slot;
  };
  const placeVector = ([id, , , , , label, representative]: DocumentRow): number => {
    const fault = vectorFault(vector, space.dimension);
    if (fault !== undefined && (fault !== 'vector_zero_norm' || distance === 'cosine'))
      throw new SnapshotFault(`the vector of "${id}" is wrong: ${fault}`);
    if (label < 0) return mustFit(arena.push(vector));
    if (label >= watermark || representative >= watermark || twins.representativeOf(label) >= 0)
      throw new SnapshotFault(`the label of "${id}" is wrong`);
    arena.write(label, vector);
    representatives.add(representative);
    if (label === representative) twins.addRepresentative(label, vector);
    else twins.addTwin(label, representative);
    return label;
  };
  /** A dead representative's own vector is not kept in a snapshot, but it equals its twins'. */
  const reviveDead = (slots: Int32Array) => {
    for (const representative of representatives) {
      if ((slots[representative] ?? -1) >= 0) continue;
      const twin = twins.groupOf(representative).find((label) => (slots[label] ?? -1) >= 0);
      if (twin === undefined) continue;
      arena.write(representative, arena.view(twin));
      twins.addRepresentative(representative, arena.view(representative));
    }
  };

  return {
    reserve: (count) => {
      watermark = count;
      if (!arena.extend(count)) mustFit(undefined);
    },
    add: (rows, vectors) => {
      let at = 0;
      for (const row of rows) {
        const slot = addRow(row);
        labelsBySlot[slot] = -1;
        if (row[2] === null) continue;
        if (at + vector.byteLength > vectors.byteLength) throw new SnapshotFault('vectors of the body are missing');
        vectorBytes.set(vectors.subarray(at, at + vector.byteLength));
        at += vector.byteLength;
        labelsBySlot[slot] = placeVector(row);
      }
      if (at !== vectors.byteLength) throw new SnapshotFault('the body has vectors that belong to no document');
    },
    end: () => {
      const slots = new Int32Array(arena.count).fill(-1);
      for (const [slot, label] of labelsBySlot.entries()) if (label >= 0) slots[label] = slot;
      reviveDead(slots);
      return { table, arena, slots, twins, representatives };
    },
  };
}

function mustFit(label: number | undefined): number {
  if (label === undefined) throw new SnapshotFault('the body holds more vectors than there can be');
  return label;
}
