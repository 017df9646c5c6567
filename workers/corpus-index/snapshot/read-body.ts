import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { parseSpace, type Space } from '../../../schemas/space.ts';
import {
  type BodyEnd,
  type BodyHeader,
  type DocumentRow,
  endSchema,
  headerSchema,
  parseFrame,
  parseRows,
} from './body-format.ts';
import { type Frame, readFrames, SnapshotFault } from './frames.ts';
import type { SnapshotBody } from './manifest.ts';
import { type RestoredDocuments, startRestoration } from './restore-documents.ts';

/** What a body held, checked against its manifest; the graph file is not looked at yet. */
export interface ReadBody extends RestoredDocuments {
  readonly space: Space;
  /** The labels of the graph are below. */
  readonly watermark: number;
  /** Undefined where it has no graph. */
  readonly graphFile: string | undefined;
}

/**
 * Reads a body; its graph goes into a file, whose path is asked for when there is one.
 * @throws SnapshotFault where it is not, to the byte, what the manifest tells
 */
export async function readBody(
  body: AsyncIterable<Uint8Array>,
  wanted: SnapshotBody,
  graphPath: () => Promise<string>,
): Promise<ReadBody> {
  const tap = createTap(body);
  let path: string | undefined;
  let graphFile: FileHandle | undefined;
  try {
    const builder = createBuilder(wanted);
    for await (const frame of readFrames(tap.pieces())) {
      builder.add(frame);
      if (frame.kind !== 'graph') continue;
      path ??= await graphPath();
      graphFile ??= await open(path, 'wx');
      await graphFile.appendFile(frame.payload);
    }
    const { bytes, sha256 } = tap.end();
    if (bytes !== wanted.bytes || sha256 !== wanted.sha256) throw new SnapshotFault('the body is not what was written');
    return { ...builder.end(), graphFile: path };
  } finally {
    await graphFile?.close();
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

interface Builder {
  add(frame: Frame): void;
  end(): Omit<ReadBody, 'graphFile'>;
}

/** Takes frames in the order in which they have to come. */
function createBuilder(wanted: SnapshotBody): Builder {
  const space = parseSpace(wanted.space);
  if (space === undefined) throw new SnapshotFault('the manifest names no space');
  const restoration = startRestoration(space, wanted.distance);
  let watermark: number | undefined;
  let waiting: DocumentRow[] | undefined;
  let graphBytes = 0;
  let end: BodyEnd | undefined;

  return {
    add: ({ kind, payload }) => {
      if (end !== undefined) throw new SnapshotFault('the body goes on behind its end');
      if ((kind === 'header') !== (watermark === undefined))
        throw new SnapshotFault('the header is not at the beginning');
      if ((kind === 'vectors') !== (waiting !== undefined)) throw new SnapshotFault('a frame is out of order');
      if (kind === 'header') {
        watermark = checkedHeader(payload, wanted).watermark;
        restoration.reserve(watermark);
      } else if (kind === 'documents') {
        if (graphBytes > 0) throw new SnapshotFault('a frame is out of order');
        waiting = parseRows(payload);
      } else if (kind === 'vectors') {
        restoration.add(waiting ?? [], payload);
        waiting = undefined;
      } else if (kind === 'graph') graphBytes += payload.byteLength;
      else end = parseFrame(endSchema, payload, 'the end');
    },
    end: () => {
      if (end === undefined || watermark === undefined) throw new SnapshotFault('the body has no end');
      const restored = restoration.end();
      const { count, live } = restored.table;
      const told = [end, wanted].every((counts) => counts.live === live && counts.tombstones === count - live);
      if (!told || end.graphBytes !== graphBytes) throw new SnapshotFault('the counts of the body are wrong');
      return { ...restored, space, watermark };
    },
  };
}

function checkedHeader(payload: Buffer, { kind, corpus, space, distance }: SnapshotBody): BodyHeader {
  const header = parseFrame(headerSchema, payload, 'the header');
  const same =
    header.kind === kind && header.corpus === corpus && header.space === space && header.distance === distance;
  if (!same) throw new SnapshotFault(`the body is of ${header.kind} of "${header.corpus}" in ${header.space}`);
  return header;
}
