import { type FileHandle, open } from 'node:fs/promises';

/**
 * Checks a file that hnswlib wrote, or is to read, by its structure. `writeIndex` answers true on a full disk, and
 * `readIndex` believes what it reads: a link that points beyond the end ends the process. The format is that of hnswlib's
 * `saveIndex` on a 64-bit little-endian machine: a header of 96 bytes, the elements of layer 0 (links, vector, label), and
 * for each element the links of its higher layers.
 */
export interface GraphFileExpectation {
  readonly dimension: number;
  /** Labels have to be below. */
  readonly slots: number;
}

const headerBytes = 96;
const elementsPerRead = 1_024;
const layersMax = 64;

interface Header {
  readonly count: number;
  readonly elementBytes: number;
  readonly labelAt: number;
  readonly linksMax: number;
  readonly linksMaxLayer0: number;
}

/** Undefined where the file is sound, else what is wrong with it. */
export async function graphFileFault(path: string, expected: GraphFileExpectation): Promise<string | undefined> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    if (size < headerBytes) return `it has ${size} bytes, less than a header`;
    const header = readHeader(await readExactly(file, 0, headerBytes), expected, size);
    if (typeof header === 'string') return header;
    const layer0 = await checkLayer0(file, header, expected.slots);
    return layer0 ?? (await checkHigherLayers(file, header, size));
  } finally {
    await file.close();
  }
}

function readHeader(bytes: Buffer, { dimension, slots }: GraphFileExpectation, size: number): Header | string {
  const size64 = (at: number) => Number(bytes.readBigUInt64LE(at));
  const [offsetLayer0, count, elementBytes, labelAt, dataAt] = [
    size64(0),
    size64(16),
    size64(24),
    size64(32),
    size64(40),
  ];
  const maxLayer = bytes.readInt32LE(48);
  const entry = bytes.readUInt32LE(52);
  const [linksMax, linksMaxLayer0] = [size64(56), size64(64)];
  const linkBytes = linksMaxLayer0 * 4 + 4;
  if (
    offsetLayer0 !== 0 ||
    dataAt !== linkBytes ||
    labelAt !== linkBytes + dimension * 4 ||
    elementBytes !== labelAt + 8
  )
    return 'its header does not fit the dimension';
  if (count === 0 || count > slots || headerBytes + count * elementBytes > size)
    return `it can not hold ${count} elements`;
  if (entry >= count || maxLayer < 0 || maxLayer > layersMax) return 'its entry point is not among its elements';
  return { count, elementBytes, labelAt, linksMax, linksMaxLayer0 };
}

async function checkLayer0(file: FileHandle, header: Header, slots: number): Promise<string | undefined> {
  const seen = new Uint8Array(slots);
  for (let first = 0; first < header.count; first += elementsPerRead) {
    const elements = Math.min(elementsPerRead, header.count - first);
    const bytes = await readExactly(file, headerBytes + first * header.elementBytes, elements * header.elementBytes);
    for (let element = 0; element < elements; element++) {
      const at = element * header.elementBytes;
      if (!linksAreSound(bytes, at, header.linksMaxLayer0, header.count))
        return `element ${first + element} links to nowhere`;
      const label = Number(bytes.readBigUInt64LE(at + header.labelAt));
      if (label >= slots || seen[label] === 1) return `label ${label} is twice in it, or too large`;
      seen[label] = 1;
    }
  }
  return undefined;
}

async function checkHigherLayers(file: FileHandle, header: Header, size: number): Promise<string | undefined> {
  const layerBytes = header.linksMax * 4 + 4;
  const start = headerBytes + header.count * header.elementBytes;
  const bytes = await readExactly(file, start, size - start);
  let at = 0;
  for (let element = 0; element < header.count; element++) {
    if (at + 4 > bytes.length) return 'it ends before its last element';
    const length = bytes.readUInt32LE(at);
    at += 4;
    if (length % layerBytes !== 0 || at + length > bytes.length) return `the layers of element ${element} do not fit`;
    for (let layer = at; layer < at + length; layer += layerBytes)
      if (!linksAreSound(bytes, layer, header.linksMax, header.count)) return `element ${element} links to nowhere`;
    at += length;
  }
  return at === bytes.length ? undefined : `${bytes.length - at} bytes are left behind its last element`;
}

/** A list of links: their count in the low 16 bits (the byte above holds the mark of deletion), then the links. */
function linksAreSound(bytes: Buffer, at: number, linksMax: number, count: number): boolean {
  const links = bytes.readUInt16LE(at);
  if (links > linksMax) return false;
  for (let link = 0; link < links; link++) if (bytes.readUInt32LE(at + 4 + link * 4) >= count) return false;
  return true;
}

async function readExactly(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await file.read(buffer, done, length - done, position + done);
    if (bytesRead === 0) throw new RangeError('the file ended while it was read');
    done += bytesRead;
  }
  return buffer;
}
