import { type FileCursor, openFileCursor } from './file-cursor.ts';

/** A sound graph file: how many vectors it holds, and the label of each. */
export interface GraphFile {
  readonly labels: Uint32Array;
}
export type GraphFileInspection = ({ readonly ok: true } & GraphFile) | { readonly ok: false; readonly reason: string };

class UnsoundFile extends Error {}

/**
 * Whether hnswlib may be given a file to read. It believes what it reads: a link that leads out of the graph, or up to a
 * layer that its target does not reach, ends the process at some later search. Also to be asked after a file was written,
 * which hnswlib calls a success on a full disk.
 *
 * The file is what `saveIndex` of hnswlib (hnswlib-node 3.0) writes on a 64-bit little-endian machine: a header of 96
 * bytes; per vector its links on layer 0, its values and its label; then per vector the links on its upper layers.
 * @param dimension of the vectors
 * @param labelsEnd labels have to be below
 */
export async function inspectGraphFile(
  path: string,
  dimension: number,
  labelsEnd: number,
): Promise<GraphFileInspection> {
  const cursor = await openFileCursor(path);
  try {
    const header = await readHeader(cursor, dimension);
    const labels = await checkLayerZero(cursor, header, labelsEnd);
    await checkUpperLayers(cursor, header);
    return { ok: true, labels };
  } catch (error) {
    if (error instanceof UnsoundFile) return { ok: false, reason: error.message };
    throw error;
  } finally {
    await cursor.close();
  }
}

interface Header {
  readonly count: number;
  readonly elementBytes: number;
  readonly levelMax: number;
  readonly entryPoint: number;
  readonly m: number;
}

const headerBytes = 96;
const linksMax = 10_000;
const levelsMax = 64;
const spareCapacityMax = 1_024;

function must(sound: boolean, reason: string): asserts sound {
  if (!sound) throw new UnsoundFile(reason);
}

async function readHeader(cursor: FileCursor, dimension: number): Promise<Header> {
  const bytes = await cursor.take(headerBytes);
  must(bytes !== undefined, 'the graph file breaks off in its header');
  const size = (at: number) => Number(bytes.readBigUInt64LE(at));
  const [capacity, count, elementBytes, labelOffset, dataOffset] = [size(8), size(16), size(24), size(32), size(40)];
  const [levelMax, entryPoint] = [bytes.readInt32LE(48), bytes.readUInt32LE(52)];
  const [upperLinks, lowerLinks, m, multiplier, efConstruction] = [
    size(56),
    size(64),
    size(72),
    bytes.readDoubleLE(80),
    size(88),
  ];
  must(
    m >= 2 && m <= linksMax && upperLinks === m && lowerLinks === 2 * m,
    'the graph file has a wrong number of links',
  );
  must(multiplier === 1 / Math.log(m), 'the graph file has a wrong layer multiplier');
  must(efConstruction >= m && efConstruction <= 1_000_000, 'the graph file has a wrong efConstruction');
  const linkBytes = lowerLinks * 4 + 4;
  must(
    size(0) === 0 &&
      dataOffset === linkBytes &&
      labelOffset === linkBytes + dimension * 4 &&
      elementBytes === labelOffset + 8,
    'the graph file is laid out for another dimension',
  );
  must(
    count >= 1 && headerBytes + count * (elementBytes + 4) <= cursor.size,
    'the graph file is too short for its count',
  );
  must(capacity >= count && capacity <= Math.max(2 * count, spareCapacityMax), 'the graph file has a wrong capacity');
  must(entryPoint < count && levelMax >= 0 && levelMax <= levelsMax, 'the graph file has no entry point');
  return { count, elementBytes, levelMax, entryPoint, m };
}

async function checkLayerZero(cursor: FileCursor, header: Header, labelsEnd: number): Promise<Uint32Array> {
  const { count, elementBytes, m } = header;
  const labels = new Uint32Array(count);
  const seen = new Uint8Array(labelsEnd);
  for (let element = 0; element < count; element++) {
    const bytes = cursor.takeNow(elementBytes) ?? (await cursor.take(elementBytes));
    must(bytes !== undefined, 'the graph file breaks off in its vectors');
    checkLinks(bytes, 0, 2 * m, element, count);
    const label = bytes.readBigUInt64LE(elementBytes - 8);
    must(label < BigInt(labelsEnd) && seen[Number(label)] === 0, 'the graph file has a wrong label');
    seen[Number(label)] = 1;
    labels[element] = Number(label);
  }
  return labels;
}

/** A list of links: u16 count, two bytes that mark deletions (never used here), then u32 each. */
function checkLinks(bytes: Buffer, at: number, most: number, element: number, count: number): number {
  const links = bytes.readUInt16LE(at);
  must(links <= most && bytes.readUInt16LE(at + 2) === 0, 'the graph file has a wrong list of links');
  for (let place = 1; place <= links; place++) {
    const target = bytes.readUInt32LE(at + 4 * place);
    must(target < count && target !== element, 'the graph file has a link that leads nowhere');
  }
  return links;
}

async function checkUpperLayers(cursor: FileCursor, { count, m, levelMax, entryPoint }: Header): Promise<void> {
  const listBytes = m * 4 + 4;
  const levels = new Uint8Array(count);
  /** The highest layer on which a link leads to each. */
  const reached = new Uint8Array(count);
  for (let element = 0; element < count; element++) {
    const size = (cursor.takeNow(4) ?? (await cursor.take(4)))?.readUInt32LE(0);
    must(size !== undefined, 'the graph file breaks off in its layers');
    must(size % listBytes === 0 && size / listBytes <= levelMax, 'the graph file has a wrong number of layers');
    levels[element] = size / listBytes;
    if (size === 0) continue;
    const bytes = cursor.takeNow(size) ?? (await cursor.take(size));
    must(bytes !== undefined, 'the graph file breaks off in its layers');
    for (let level = 1; level <= size / listBytes; level++) noteReached(bytes, level, listBytes, m, element, reached);
  }
  must((await cursor.take(1)) === undefined, 'the graph file goes on behind its end');
  must(levels[entryPoint] === levelMax, 'the entry point of the graph file is not on its highest layer');
  for (let element = 0; element < count; element++)
    must((reached[element] ?? 0) <= (levels[element] ?? 0), 'the graph file has a link to a layer that is not there');
}

function noteReached(
  bytes: Buffer,
  level: number,
  listBytes: number,
  m: number,
  element: number,
  reached: Uint8Array,
): void {
  const at = (level - 1) * listBytes;
  const links = checkLinks(bytes, at, m, element, reached.length);
  for (let place = 1; place <= links; place++) {
    const target = bytes.readUInt32LE(at + 4 * place);
    reached[target] = Math.max(reached[target] ?? 0, level);
  }
}
