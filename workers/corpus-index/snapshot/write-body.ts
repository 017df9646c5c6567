import { open } from 'node:fs/promises';
import { formatSpace } from '../../../schemas/space.ts';
import { type RunningDigest, startDigest } from '../../digest/digest.ts';
import { type CorpusIndex, type IndexedDocument, indexParts } from '../corpus-index.ts';
import type { DocumentTable } from '../document-table.ts';
import type { Generation } from '../generation.ts';
import type { BodyEnd, BodyHeader, DocumentRow } from './body-format.ts';
import { encodeFrame } from './frames.ts';
import { snapshotVersion } from './manifest.ts';

/** What goes into one body. */
export interface BodySource {
  readonly kind: BodyHeader['kind'];
  readonly corpus: string;
  readonly index: CorpusIndex;
}

export interface BodySummary {
  readonly live: number;
  readonly tombstones: number;
  readonly digest: string;
}

/** A frame is closed when it holds so much: written, hashed and let go within a few milliseconds. */
const frameBytes = 512 * 1024;
/** What JSON adds to the texts of a row, about. */
const rowOverheadBytes = 160;

/**
 * The pieces of a body, made as they are taken: never more of them in memory than a frame. The index's graph has to be
 * frozen meanwhile.
 * @param graphFile the graph's file; undefined where the index has no graph
 * @param onEnd told what was written, at the end
 */
export async function* writeBody(
  source: BodySource,
  graphFile: string | undefined,
  onEnd: (summary: BodySummary) => void,
): AsyncGenerator<Uint8Array> {
  const { kind, corpus, index } = source;
  const { table, maintenance } = indexParts(index);
  const generation = maintenance.serving;
  const space = formatSpace(index.space);
  const watermark = graphFile === undefined ? 0 : generation.watermark;
  const header: BodyHeader = {
    format: 'lakehouse.index-body',
    version: snapshotVersion,
    kind,
    corpus,
    space,
    distance: index.distance,
    watermark,
  };
  yield* jsonFrame('header', header);
  const digest = startDigest({ kind, corpus, space });
  const counts = { live: 0, tombstones: 0 };
  for (const batch of batches(index, table, generation, watermark, digest)) {
    yield* jsonFrame('documents', batch.rows);
    yield* encodeFrame('vectors', batch.vectors);
    counts.live += batch.live;
    counts.tombstones += batch.rows.length - batch.live;
  }
  let graphBytes = 0;
  if (graphFile !== undefined)
    for await (const piece of filePieces(graphFile)) {
      graphBytes += piece.byteLength;
      yield* encodeFrame('graph', piece);
    }
  yield* jsonFrame('end', { ...counts, graphBytes } satisfies BodyEnd);
  onEnd({ ...counts, digest: digest.end() });
}

function jsonFrame(kind: 'header' | 'documents' | 'end', value: unknown): Uint8Array[] {
  return encodeFrame(kind, Buffer.from(JSON.stringify(value), 'utf8'));
}

interface Batch {
  readonly rows: DocumentRow[];
  readonly vectors: Uint8Array;
  readonly live: number;
}

function* batches(
  index: CorpusIndex,
  table: DocumentTable,
  generation: Generation,
  watermark: number,
  digest: RunningDigest,
): Generator<Batch> {
  const width = index.space.dimension * 4;
  const documentsMax = Math.max(1, Math.floor(frameBytes / (width + rowOverheadBytes)));
  let rows: DocumentRow[] = [];
  let vectors = Buffer.allocUnsafeSlow(documentsMax * width);
  let live = 0;
  let textBytes = 0;
  const take = (): Batch => {
    const batch = { rows, vectors: vectors.subarray(0, live * width), live };
    rows = [];
    vectors = Buffer.allocUnsafeSlow(documentsMax * width);
    live = 0;
    textBytes = 0;
    return batch;
  };
  for (const document of index.entries()) {
    const { id, metadata, vector } = document;
    digest.add(document);
    rows.push(rowOf(document, table, generation, watermark));
    textBytes += rowOverheadBytes + id.length + (metadata.json?.length ?? 0);
    // Copied: the view is good until the next write to the index.
    if (vector !== null) vectors.set(new Uint8Array(vector.buffer, vector.byteOffset, width), live++ * width);
    if (rows.length === documentsMax || textBytes >= frameBytes) yield take();
  }
  if (rows.length > 0) yield take();
}

function rowOf(
  { id, slot, content }: IndexedDocument,
  table: DocumentTable,
  generation: Generation,
  watermark: number,
): DocumentRow {
  const label = generation.labelOf(slot);
  const found = label >= 0 && label < watermark;
  const representative = found ? generation.twins.representativeOf(label) : -1;
  const place = found ? label : -1;
  const metadata = table.spokenMetadata(slot);
  const row = [id, content.version, content.hash, metadata.version, metadata.json, place, representative] as const;
  const truncated = content.truncated === true;
  const weak = table.weakness(slot);
  if (weak !== undefined) return [...row, truncated, weak.after, weak.json];
  return truncated ? [...row, truncated] : row;
}

export async function* filePieces(path: string): AsyncGenerator<Buffer> {
  const handle = await open(path, 'r');
  try {
    for (;;) {
      const piece = Buffer.allocUnsafeSlow(frameBytes);
      const { bytesRead } = await handle.read(piece, 0, frameBytes);
      if (bytesRead === 0) return;
      yield piece.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}
