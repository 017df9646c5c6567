import { createHash } from 'node:crypto';
import {
  AbortMultipartUploadCommand,
  CreateBucketCommand,
  DeleteObjectCommand,
  HeadBucketCommand,
  ListMultipartUploadsCommand,
  paginateListObjectsV2,
  S3Client,
} from '@aws-sdk/client-s3';
import type { Clock } from '../clock.ts';
import { checkedObjectKey, type ObjectStore, ObjectStoreError, type StoredObject } from '../object-store.ts';
import { type S3Limits, s3Limits } from './limits.ts';
import { readObject } from './read-object.ts';
import { storeError } from './s3-errors.ts';
import { type ObjectAddress, writeObject } from './write-object.ts';

export interface S3Settings {
  readonly endpoint: string | undefined;
  readonly bucket: string;
  readonly region: string;
  readonly prefix: string;
  readonly forcePathStyle: boolean;
  readonly credentials: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken: string | undefined;
  };
}

export interface S3ObjectStore extends ObjectStore {
  /** Makes the bucket where it is not there. */
  ensureBucket(): Promise<void>;
  /** Lets go of the connections. */
  close(): void;
}

/**
 * Objects in a bucket of any S3 service. Nothing rests on conditional requests or on checksums that only some services
 * know: a body is there once it is whole, and whoever wrote it reads it back.
 * @throws ObjectStoreError from every operation
 */
export function createS3ObjectStore(settings: S3Settings, clock: Clock, limits: S3Limits = s3Limits): S3ObjectStore {
  const client = createClient(settings, limits);
  const { bucket, prefix, credentials } = settings;
  const { told, withStoreErrors } = createTeller(
    Object.values(credentials)
      .filter((one) => one !== undefined)
      .filter((one) => one !== ''),
  );
  const before = prefix === '' ? '' : `${prefix}/`;
  const addressOf = (key: string): ObjectAddress => ({ Bucket: bucket, Key: `${before}${checkedObjectKey(key)}` });
  const get = async (key: string) => {
    const address = addressOf(key);
    const body = await told(`read ${key}`, readObject({ client, clock, limits }, address));
    return body === undefined ? undefined : withStoreErrors(`read ${key}`, body);
  };
  let swept = false;
  return {
    put: async (key, body) => {
      const address = addressOf(key);
      const tap = createTap(body);
      await told(`write ${key}`, writeObject(client, address, tap.pieces(), limits), tap.failedWith);
      if (!swept) await sweepUploads(client, bucket, before, clock.nowMs() - limits.uploadAgeMaxMs);
      swept = true;
      return tap.end();
    },
    get,
    readBack: async (key) => {
      const body = await get(key);
      if (body === undefined) return undefined;
      const tap = createTap(body);
      for await (const _ of tap.pieces());
      return tap.end();
    },
    list: (wanted) => told(`list ${wanted}`, listObjects(client, bucket, before, wanted, limits)),
    delete: async (key) => {
      await told(`delete ${key}`, client.send(new DeleteObjectCommand(addressOf(key))));
    },
    ensureBucket: () => told(`make the bucket ${bucket}`, ensureBucket(client, bucket)),
    close: () => client.destroy(),
  };
}

function createClient({ endpoint, region, forcePathStyle, credentials }: S3Settings, limits: S3Limits): S3Client {
  const { accessKeyId, secretAccessKey, sessionToken } = credentials;
  return new S3Client({
    region,
    forcePathStyle,
    ...(endpoint === undefined ? {} : { endpoint }),
    credentials: { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) },
    // Services that are not AWS do not know the checksums that the client would add.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    maxAttempts: limits.attemptsMax,
    retryMode: 'standard',
    requestHandler: {
      connectionTimeout: limits.connectTimeoutMs,
      requestTimeout: limits.requestTimeoutMs,
      throwOnRequestTimeout: true,
      socketTimeout: limits.idleTimeoutMs,
    },
  });
}

/** Operations whose failures are told in this system's words, and never with one of the secrets. */
function createTeller(secrets: readonly string[]) {
  /** @param ours an error of whoever gave the body: it is passed on as it is */
  async function told<Value>(what: string, done: Promise<Value>, ours?: () => unknown): Promise<Value> {
    try {
      return await done;
    } catch (error) {
      if (error instanceof RangeError || (ours !== undefined && ours() === error)) throw error;
      throw storeError(what, error, secrets);
    }
  }
  async function* withStoreErrors(what: string, body: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
    try {
      yield* body;
    } catch (error) {
      throw storeError(what, error, secrets);
    }
  }
  return { told, withStoreErrors };
}

function createTap(body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>) {
  const hash = createHash('sha256');
  let bytes = 0;
  let failure: unknown;
  return {
    pieces: async function* () {
      try {
        for await (const piece of body) {
          hash.update(piece);
          bytes += piece.byteLength;
          yield piece;
        }
      } catch (error) {
        failure = error;
        throw error;
      }
    },
    failedWith: () => failure,
    end: (): StoredObject => ({ bytes, sha256: hash.digest('hex') }),
  };
}

async function listObjects(client: S3Client, Bucket: string, before: string, prefix: string, limits: S3Limits) {
  const found: { key: string; bytes: number }[] = [];
  for await (const page of paginateListObjectsV2({ client }, { Bucket, Prefix: `${before}${prefix}` }))
    for (const { Key, Size } of page.Contents ?? []) {
      if (Key === undefined) continue;
      if (found.length >= limits.listedMax)
        throw new ObjectStoreError(
          'unavailable',
          `more than ${limits.listedMax} objects begin with ${before}${prefix}`,
        );
      found.push({ key: Key.slice(before.length), bytes: Size ?? 0 });
    }
  return found.sort((one, other) => (one.key < other.key ? -1 : 1));
}

async function ensureBucket(client: S3Client, Bucket: string): Promise<void> {
  try {
    await client.send(new HeadBucketCommand({ Bucket }));
  } catch (error) {
    const status = error instanceof Error && 'name' in error ? error.name : undefined;
    if (status !== 'NotFound' && status !== 'NoSuchBucket') throw error;
    await client.send(new CreateBucketCommand({ Bucket })).catch((refused: unknown) => {
      if (!(refused instanceof Error && refused.name === 'BucketAlreadyOwnedByYou')) throw refused;
    });
  }
}

/** Parts that a dead process sent lie there and cost. That they can not be cleared away keeps nobody from writing. */
async function sweepUploads(client: S3Client, Bucket: string, Prefix: string, beforeMs: number): Promise<void> {
  try {
    const { Uploads } = await client.send(new ListMultipartUploadsCommand({ Bucket, Prefix }));
    for (const { Key, UploadId, Initiated } of Uploads ?? [])
      if (Key !== undefined && Initiated !== undefined && Initiated.getTime() < beforeMs)
        await client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
  } catch {
    // Not every service lists uploads, and not every key may.
  }
}
