import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import type { S3Limits } from './limits.ts';

export interface ObjectAddress {
  readonly Bucket: string;
  readonly Key: string;
}

/**
 * Writes a body: in one request where it fits into a part, else part by part, and it is there once all of it is. Parts
 * are whole buffers, never streams of unknown length: their hashes are signed, and a request can be sent again.
 */
export async function writeObject(
  client: S3Client,
  address: ObjectAddress,
  body: AsyncIterable<Uint8Array>,
  limits: S3Limits,
): Promise<void> {
  const parts = partsOf(body, limits.partBytes);
  const first = await parts.next();
  if (first.done === true || first.value.byteLength < limits.partBytes) {
    await client.send(new PutObjectCommand({ ...address, Body: first.value ?? Buffer.alloc(0) }));
    return;
  }
  const { UploadId } = await client.send(new CreateMultipartUploadCommand(address));
  const upload = { ...address, UploadId };
  try {
    const Parts: CompletedPart[] = [];
    const send = async (part: Buffer) => {
      const PartNumber = Parts.length + 1;
      if (PartNumber > limits.partsMax)
        throw new RangeError(`a body has more than ${limits.partsMax * limits.partBytes} bytes`);
      const { ETag } = await client.send(new UploadPartCommand({ ...upload, PartNumber, Body: part }));
      Parts.push({ PartNumber, ETag });
    };
    await send(first.value);
    for await (const part of parts) await send(part);
    await client.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } }));
  } catch (error) {
    await client.send(new AbortMultipartUploadCommand(upload)).catch(() => undefined);
    throw error;
  }
}

/** A body cut into parts of one size, the last one shorter; each is good until the next one is taken. */
async function* partsOf(body: AsyncIterable<Uint8Array>, partBytes: number): AsyncGenerator<Buffer, undefined> {
  const part = Buffer.allocUnsafeSlow(partBytes);
  let filled = 0;
  for await (const piece of body) {
    for (let taken = 0; taken < piece.byteLength; ) {
      const bytes = Math.min(partBytes - filled, piece.byteLength - taken);
      part.set(piece.subarray(taken, taken + bytes), filled);
      filled += bytes;
      taken += bytes;
      if (filled < partBytes) continue;
      yield part;
      filled = 0;
    }
  }
  if (filled > 0) yield part.subarray(0, filled);
  return undefined;
}
