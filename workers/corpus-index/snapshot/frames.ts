import { createHash } from 'node:crypto';

/**
 * A body is a run of frames: u32 (little-endian) length of the payload, u8 kind, the payload, and the first 8 bytes of the
 * SHA-256 of kind and payload. Every frame is checked before it is looked at.
 */
export const frameKinds = { header: 1, documents: 2, vectors: 3, graph: 4, end: 5 } as const;
export type FrameKind = keyof typeof frameKinds;

export interface Frame {
  readonly kind: FrameKind;
  readonly payload: Buffer;
}

/** What was read is no sound snapshot; the message tells why. Anything else that is thrown is an outage or a bug. */
export class SnapshotFault extends Error {}

export const framePayloadBytesMax = 8 * 1024 * 1024;
const headBytes = 5;
const checksumBytes = 8;

const kindsByCode = new Map<number, FrameKind>();
for (const kind of Object.keys(frameKinds) as FrameKind[]) kindsByCode.set(frameKinds[kind], kind);

/** The pieces of a frame, in order. */
export function encodeFrame(kind: FrameKind, payload: Uint8Array): Uint8Array[] {
  if (payload.byteLength > framePayloadBytesMax) throw new Error(`a frame of ${payload.byteLength} bytes is too large`);
  const head = Buffer.alloc(headBytes);
  head.writeUInt32LE(payload.byteLength, 0);
  head.writeUInt8(frameKinds[kind], 4);
  return [head, payload, checksum(frameKinds[kind], payload)];
}

/**
 * Reads frames out of a body.
 * @throws SnapshotFault where it breaks off, or a frame is not what was written
 */
export async function* readFrames(body: AsyncIterable<Uint8Array>): AsyncGenerator<Frame> {
  let pieces: Uint8Array[] = [];
  let bytes = 0;
  let wanted = headBytes;
  for await (const piece of body) {
    pieces.push(piece);
    bytes += piece.byteLength;
    if (bytes < wanted) continue;
    let buffer = Buffer.concat(pieces, bytes);
    for (;;) {
      wanted = buffer.byteLength < headBytes ? headBytes : frameBytes(buffer);
      if (buffer.byteLength < wanted) break;
      yield decodeFrame(buffer.subarray(0, wanted));
      buffer = buffer.subarray(wanted);
    }
    pieces = [buffer];
    bytes = buffer.byteLength;
  }
  if (bytes > 0) throw new SnapshotFault('the body breaks off in the middle of a frame');
}

function frameBytes(buffer: Buffer): number {
  const length = buffer.readUInt32LE(0);
  if (length > framePayloadBytesMax) throw new SnapshotFault(`a frame claims ${length} bytes`);
  return headBytes + length + checksumBytes;
}

function decodeFrame(bytes: Buffer): Frame {
  const code = bytes.readUInt8(4);
  const payload = bytes.subarray(headBytes, bytes.byteLength - checksumBytes);
  if (!checksum(code, payload).equals(bytes.subarray(bytes.byteLength - checksumBytes)))
    throw new SnapshotFault('the checksum of a frame is wrong');
  const kind = kindsByCode.get(code);
  if (kind === undefined) throw new SnapshotFault(`a frame is of the unknown kind ${code}`);
  return { kind, payload };
}

function checksum(code: number, payload: Uint8Array): Buffer {
  return createHash('sha256').update(Uint8Array.of(code)).update(payload).digest().subarray(0, checksumBytes);
}
