import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../streams/clock.ts';
import { ObjectStoreError } from '../../streams/object-store.ts';
import { s3Limits } from '../../streams/s3/limits.ts';
import { createS3ObjectStore, type S3ObjectStore } from '../../streams/s3/s3-object-store.ts';
import { type FaultyProxy, startFaultyProxy, wireFaults } from './faulty-proxy.ts';
import { closeTestBucket, openTestBucket } from './testing.ts';

/** Short, so that what stalls is given up within the test. */
const limits = { ...s3Limits, requestTimeoutMs: 2_000, idleTimeoutMs: 1_000, readTimeoutMs: 1_500 };
const body = Buffer.alloc(9 * 1024 * 1024, 'lakehouse');
const sha256 = createHash('sha256').update(body).digest('hex');

let plain: S3ObjectStore;
let store: S3ObjectStore;
let proxy: FaultyProxy;
beforeAll(async () => {
  const opened = await openTestBucket();
  plain = opened.store;
  proxy = await startFaultyProxy(opened.settings.endpoint ?? '');
  store = createS3ObjectStore({ ...opened.settings, endpoint: proxy.url }, systemClock, limits);
});
afterAll(async () => {
  proxy.failWith(() => undefined);
  store.close();
  await closeTestBucket(plain);
  await proxy[Symbol.asyncDispose]();
});

/** The nth request from now on fails, the others do not. */
function failOnce(nth: number, fault: (typeof wireFaults)[number]): () => boolean {
  const first = proxy.requests() + nth;
  let failed = false;
  proxy.failWith((_, place) => {
    if (place !== first) return undefined;
    failed = true;
    return fault;
  });
  return () => failed;
}

describe('a fault on the way to S3', () => {
  it.each(wireFaults)('%s once while reading: the body comes whole', async (fault) => {
    await plain.put('read', [body]);
    for (const nth of [0, 1]) {
      const failed = failOnce(nth, fault);
      expect(await store.readBack('read')).toEqual({ bytes: body.byteLength, sha256 });
      expect(failed()).toBe(true);
    }
  });

  it.each(wireFaults)('%s once while writing in parts: it is written whole', async (fault) => {
    // Begin, two parts, the end.
    for (const nth of [0, 1, 2, 3]) {
      const key = `written/${fault}-${nth}`;
      const failed = failOnce(nth, fault);
      const done = await store.put(key, [body]).then(
        () => true,
        (error: unknown) => {
          expect(error).toBeInstanceOf(ObjectStoreError);
          return false;
        },
      );
      expect(failed()).toBe(true);
      proxy.failWith(() => undefined);
      const found = await plain.readBack(key);
      if (done) expect(found).toEqual({ bytes: body.byteLength, sha256 });
      else expect(found === undefined || found.sha256 === sha256).toBe(true);
    }
  });

  it('away for good: every operation says so in bounded time', async () => {
    proxy.failWith(() => 'unavailable');
    const unavailable = { name: 'ObjectStoreError', fault: 'unavailable' };
    await expect(store.put('away', [Buffer.from('x')])).rejects.toMatchObject(unavailable);
    await expect(store.get('read')).rejects.toMatchObject(unavailable);
    await expect(store.list('')).rejects.toMatchObject(unavailable);
    await expect(store.delete('read')).rejects.toMatchObject(unavailable);
    proxy.failWith(() => undefined);
    expect(await store.get('away')).toBeUndefined();
  });

  it('wrong keys are told as such, and no key is in the message', async () => {
    const { settings, store: own } = await openTestBucket();
    own.close();
    const secretAccessKey = 'n0t-the-s3cret';
    const wrong = createS3ObjectStore(
      { ...settings, credentials: { ...settings.credentials, secretAccessKey } },
      systemClock,
    );
    const error = await wrong.put('x', [Buffer.from('x')]).catch((one: unknown) => one);
    expect(error).toMatchObject({ name: 'ObjectStoreError', fault: 'denied' });
    expect(JSON.stringify(error) + String(error)).not.toContain(secretAccessKey);
    wrong.close();
  });

  it('a bucket that is not there is told as such', async () => {
    const { settings, store: own } = await openTestBucket();
    own.close();
    const elsewhere = createS3ObjectStore({ ...settings, bucket: 'nobody-made-this' }, systemClock);
    await expect(elsewhere.put('x', [Buffer.from('x')])).rejects.toMatchObject({ fault: 'no_bucket' });
    await expect(elsewhere.get('x')).rejects.toMatchObject({ fault: 'no_bucket' });
    elsewhere.close();
  });
});
