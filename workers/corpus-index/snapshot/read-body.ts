import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { parseSpace, type Space } from '../../../schemas/space.ts';
import { vectorFault } from '../../../schemas/vector.ts';
import { type Arena, createArena } from '../arena.ts';
import { createDocumentTable, type DocumentTable } from '../document-table.ts';
import { compareIds } from '../id-order.ts';
import { type BodyEnd, type DocumentRow, endSchema, headerSchema, parseFrame, parseRows } from './body-format.ts';
import { type Frame, readFrames, SnapshotFault } from './frames.ts';
import type { SnapshotBody } from './manifest.ts';

/** What a body held, checked against its manifest; the graph file is not looked at yet. */
export interface ReadBody {
  readonly space: Space;
  readonly table: DocumentTable;
  readonly live: number;
  readonly arena: Arena;
  /** Per label its slot, or -1. */
  readonly slots: Int32Array;
  readonly watermark: number;
  readonly representatives: ReadonlyMap<number, number>;
  readonly hasGraphFile: boolean;
}

/**
 * Reads a body; its graph goes into a file.
 * @throws SnapshotFault where it is not, to the byte, what the manifest tells
 */
export async function readBody(
  body: AsyncIterable<Uint8Array>,
  wanted: SnapshotBody,
  graphPath: string,
): Promise<ReadBody> {
  const tap = createTap(body);
  const graphFile = await open(graphPath, 'wx');
  try {
    const builder = createBuilder(wanted);
    for await (const frame of readFrames(tap.pieces())) {
      if (frame.kind === 'graph') await writeGraphPiece(graphFile, frame, builder);
      else builder.add(frame);
    }
    const { bytes, sha256 } = tap.end();
    if (bytes !== wanted.bytes || sha256 !== wanted.sha256) throw new SnapshotFault('the body is not what was written');
    return builder.end();
  } finally {
    await graphFile.close();
  }
}

function createTap(body: AsyncIterable<Uint8Array>) {
  const hash = createHash('sha256');
  let bytes = 0;
  return {
    pieces: async function* () {
      for await (const piece of body) {
        hash.update(piece);
        bytes += piece.byteLength;
        yield piece;
      }
    },
    end: () => ({ bytes, sha256: hash.digest('hex') }),
  };
}

async function writeGraphPiece(file: FileHandle, frame: Frame, builder: Builder): Promise<void> {
  builder.add(frame);
  await file.appendFile(frame.payload);
}

interface Builder {
  add(frame: Frame): void;
  end(): ReadBody;
}

/** Takes frames in the order in which they have to come. */
function createBuilder(wanted: SnapshotBody): Builder {
  const space = parseSpace(wanted.space);
  if (space === undefined) throw new SnapshotFault('the manifest names no space');
  const table = createDocumentTable();
  const arena = createArena(space.dimension);
  // Frames lie at any byte; a vector is read from here.
  const vector = new Float32Array(space.dimension);
  const vectorBytes = new Uint8Array(vector.buffer);
  const labelsBySlot: number[] = [];
  const representatives = new Map<number, number>();
  let watermark: number | undefined;
  let waiting: DocumentRow[] | undefined;
  let graphBytes = 0;
  let live = 0;
  let previousId: string | undefined;
  let end: BodyEnd | undefined;

  const addHeader = (frame: Frame) => {
    const header = parseFrame(headerSchema, frame.payload, 'the header');
    const { kind, corpus, distance } = wanted;
    if (
      header.kind !== kind ||
      header.corpus !== corpus ||
      header.space !== wanted.space ||
      header.distance !== distance
    )
      throw new SnapshotFault(`the body is of ${header.kind} of "${header.corpus}" in ${header.space}`);
    watermark = header.watermark;
    if (!arena.extend(watermark)) throw new SnapshotFault('the body claims more vectors than there can be');
  };
  const placeVector = (row: DocumentRow, below: number): number => {
    const [id, , , , , label, representative] = row;
    const fault = vectorFault(vector, space.dimension);
    if (fault !== undefined && (fault !== 'vector_zero_norm' || wanted.distance === 'cosine'))
      throw new SnapshotFault(`the vector of "${id}" is wrong: ${fault}`);
    if (label < 0) return arena.push(vector) ?? fail('the body holds more vectors than there can be');
    if (label >= below || representative >= below || representatives.has(label))
      throw new SnapshotFault(`the label of "${id}" is wrong`);
    representatives.set(label, representative);
    arena.write(label, vector);
    return label;
  };
  const addVectors = (rows: readonly DocumentRow[], payload: Buffer, below: number) => {
    const width = vector.byteLength;
    let at = 0;
    for (const row of rows) {
      const [id, contentVersion, hash, metadataVersion, json] = row;
      if (previousId !== undefined && compareIds(previousId, id) >= 0)
        throw new SnapshotFault('the documents of the body are not in order');
      previousId = id;
      const slot = table.add(id);
      table.setContent(slot, contentVersion, hash);
      table.setMetadata(slot, metadataVersion, json);
      labelsBySlot[slot] = -1;
      if (hash === null) continue;
      if (at + width > payload.byteLength) throw new SnapshotFault('vectors of the body are missing');
      vectorBytes.set(payload.subarray(at, at + width));
      labelsBySlot[slot] = placeVector(row, below);
      at += width;
      live++;
    }
    if (at !== payload.byteLength) throw new SnapshotFault('the body has vectors that belong to no document');
  };

  return {
    add: (frame) => {
      if (end !== undefined) throw new SnapshotFault('the body goes on behind its end');
      if (watermark === undefined) {
        if (frame.kind !== 'header') throw new SnapshotFault('the body does not begin with a header');
        return addHeader(frame);
      }
      if ((frame.kind === 'vectors') !== (waiting !== undefined)) throw new SnapshotFault('a frame is out of order');
      if (frame.kind === 'documents' && graphBytes === 0) waiting = parseRows(frame.payload);
      else if (frame.kind === 'vectors' && waiting !== undefined) {
        addVectors(waiting, frame.payload, watermark);
        waiting = undefined;
      } else if (frame.kind === 'graph') graphBytes += frame.payload.byteLength;
      else if (frame.kind === 'end') end = parseFrame(endSchema, frame.payload, 'the end');
      else throw new SnapshotFault('a frame is out of order');
    },
    end: () => {
      if (end === undefined || watermark === undefined) throw new SnapshotFault('the body has no end');
      const tombstones = table.count - live;
      const told = [end, wanted].every((counts) => counts.live === live && counts.tombstones === tombstones);
      if (!told || end.graphBytes !== graphBytes) throw new SnapshotFault('the counts of the body are wrong');
      const slots = new Int32Array(arena.count).fill(-1);
      for (const [slot, label] of labelsBySlot.entries()) if (label >= 0) slots[label] = slot;
      return { space, table, live, arena, slots, watermark, representatives, hasGraphFile: graphBytes > 0 };
    },
  };
}

function fail(reason: string): never {
  throw new SnapshotFault(reason);
}
