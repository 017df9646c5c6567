import { Readable } from 'node:stream';
import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import type { Clock } from '../clock.ts';
import { backoffMs } from '../durations.ts';
import { ObjectStoreError } from '../object-store.ts';
import type { S3Limits } from './limits.ts';
import { isEmptyRange, isMissingObject } from './s3-errors.ts';
import type { ObjectAddress } from './write-object.ts';

const retryFirstMs = 100;
const retryMaxMs = 2_000;

interface ReadPorts {
  readonly client: S3Client;
  readonly clock: Clock;
  readonly limits: S3Limits;
}

interface Range {
  readonly bytes: Buffer;
  /** Of the whole object. */
  readonly objectBytes: number;
  readonly tag: string | undefined;
}

/**
 * The body of an object, range by range: each is all here, and of the right length, before any of it is given away, so
 * that an answer that breaks off midway is asked for again. Undefined where there is no object.
 */
export async function readObject(
  ports: ReadPorts,
  address: ObjectAddress,
): Promise<AsyncGenerator<Uint8Array, void> | undefined> {
  const first = await readRange(ports, address, 0);
  return first === undefined ? undefined : rangesFrom(first, ports, address);
}

async function* rangesFrom(first: Range, ports: ReadPorts, address: ObjectAddress): AsyncGenerator<Uint8Array, void> {
  if (first.bytes.byteLength > 0) yield first.bytes;
  for (let at = first.bytes.byteLength; at < first.objectBytes; ) {
    const next = await readRange(ports, address, at);
    if (next === undefined || next.tag !== first.tag || next.objectBytes !== first.objectBytes)
      throw new ObjectStoreError('changed', `${address.Key} was replaced or let go while it was being read`);
    yield next.bytes;
    at += next.bytes.byteLength;
  }
}

async function readRange(ports: ReadPorts, address: ObjectAddress, from: number): Promise<Range | undefined> {
  const { clock, limits } = ports;
  for (let attempt = 1; ; attempt++) {
    try {
      return await readRangeOnce(ports, address, from);
    } catch (error) {
      if (isMissingObject(error)) return undefined;
      if (isEmptyRange(error)) return { bytes: Buffer.alloc(0), objectBytes: from, tag: undefined };
      if (!(error instanceof BrokenOffError) || attempt >= limits.attemptsMax) throw error;
      await clock.sleep(backoffMs(attempt, retryFirstMs, retryMaxMs));
    }
  }
}

/** An answer whose body did not come whole; requests without an answer are repeated by the client. */
class BrokenOffError extends Error {}

async function readRangeOnce(
  { client, limits }: ReadPorts,
  address: ObjectAddress,
  from: number,
): Promise<Range | undefined> {
  const wanted = `bytes=${from}-${from + limits.rangeBytes - 1}`;
  const answer = await client.send(new GetObjectCommand({ ...address, Range: wanted }));
  const bytes = answer.ContentLength ?? 0;
  const objectBytes = Number(/\/(\d+)$/.exec(answer.ContentRange ?? '')?.[1] ?? bytes);
  const body = answer.Body;
  if (body === undefined) throw new BrokenOffError('the answer has no body');
  // With an error: who waits for a body that is only closed waits forever.
  const giveUp = (why: string) => {
    if (body instanceof Readable) body.destroy(new Error(why));
  };
  if (bytes > limits.rangeBytes || (answer.ContentRange === undefined && from > 0)) {
    giveUp('it is not wanted');
    throw new ObjectStoreError('unavailable', 'the service gives whole objects where ranges are asked for');
  }
  const late = setTimeout(giveUp, limits.readTimeoutMs, `it did not come within ${limits.readTimeoutMs} ms`);
  try {
    const read = Buffer.from(await body.transformToByteArray());
    if (read.byteLength !== bytes) throw new Error(`${read.byteLength} of ${bytes} bytes came`);
    return { bytes: read, objectBytes, tag: answer.ETag };
  } catch (error) {
    throw new BrokenOffError(`the body broke off: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    clearTimeout(late);
  }
}
