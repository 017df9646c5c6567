import { randomUUID } from 'node:crypto';
import { readConfiguration } from '../../schemas/configuration.ts';
import { systemClock } from '../../streams/clock.ts';
import type { S3Limits } from '../../streams/s3/limits.ts';
import { createS3ObjectStore, type S3ObjectStore, type S3Settings } from '../../streams/s3/s3-object-store.ts';

/** The bucket that the environment tells of, as `npm run test:s3` sets it. */
export function settingsUnderTest(): S3Settings {
  const { objectStore } = readConfiguration({ ...process.env, LAKEHOUSE_OBJECT_STORE: 's3' });
  if (objectStore.kind !== 's3') throw new Error('S3 is not configured');
  const { accessKeyId, secretAccessKey } = objectStore.credentials;
  if (!('value' in accessKeyId) || !('value' in secretAccessKey)) throw new Error('the tests take keys as they are');
  const credentials = {
    accessKeyId: accessKeyId.value,
    secretAccessKey: secretAccessKey.value,
    sessionToken: undefined,
  };
  return { ...objectStore, prefix: `test-${randomUUID()}`, credentials };
}

/** A store below a prefix of its own. */
export async function openTestBucket(
  changed: Partial<S3Settings> = {},
  limits?: S3Limits,
): Promise<{ store: S3ObjectStore; settings: S3Settings }> {
  const settings = { ...settingsUnderTest(), ...changed };
  const store = createS3ObjectStore(settings, systemClock, limits);
  await store.ensureBucket();
  return { store, settings };
}

/** The environment of a process that keeps its snapshots there. */
export function environmentOfBucket(settings: S3Settings): Record<string, string> {
  return {
    LAKEHOUSE_OBJECT_STORE: 's3',
    S3_PREFIX: settings.prefix,
    S3_ENDPOINT: settings.endpoint ?? '',
    S3_BUCKET: settings.bucket,
    AWS_ACCESS_KEY_ID: settings.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: settings.credentials.secretAccessKey,
  };
}

/** Lets go of everything below the store's prefix, and of the store. */
export async function closeTestBucket(store: S3ObjectStore): Promise<void> {
  for (const { key } of await store.list('')) await store.delete(key);
  store.close();
}
