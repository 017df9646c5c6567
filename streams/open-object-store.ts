import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Configuration, ConfigurationError, type SecretSource } from '../schemas/configuration.ts';
import type { Clock } from './clock.ts';
import { createLocalObjectStore } from './local-object-store.ts';
import type { ObjectStore } from './object-store.ts';

type StoreConfiguration = Pick<Configuration, 'objectStore' | 'dataDirectory'>;

/**
 * The object store that is configured: a bucket, or a folder of the data directory.
 * @throws ConfigurationError where a file of a secret can not be read
 */
export async function openObjectStore(configuration: StoreConfiguration, clock: Clock): Promise<ObjectStore> {
  if (configuration.objectStore.kind === 'local')
    return createLocalObjectStore(join(configuration.dataDirectory, 'snapshots'));
  return openBucket(configuration.objectStore, clock);
}

/** Makes the bucket that is configured where it is not there; a directory needs nothing. */
export async function ensureObjectStore({ objectStore }: StoreConfiguration, clock: Clock): Promise<void> {
  if (objectStore.kind === 'local') return;
  const store = await openBucket(objectStore, clock);
  await store.ensureBucket().finally(() => store.close());
}

async function openBucket(s3: Extract<Configuration['objectStore'], { kind: 's3' }>, clock: Clock) {
  const { accessKeyId, secretAccessKey, sessionToken } = s3.credentials;
  // Loaded where it is used: the library takes a fifth of a second and 30 MB.
  const { createS3ObjectStore } = await import('./s3/s3-object-store.ts');
  const credentials = {
    accessKeyId: await readSecret(accessKeyId),
    secretAccessKey: await readSecret(secretAccessKey),
    sessionToken: sessionToken === undefined ? undefined : await readSecret(sessionToken),
  };
  return createS3ObjectStore({ ...s3, credentials }, clock);
}

async function readSecret(source: SecretSource): Promise<string> {
  if ('value' in source) return source.value;
  const text = await readFile(source.file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new ConfigurationError(`the secret in ${source.file} can not be read (${error.code ?? error.name})`);
  });
  const secret = text.replace(/\r?\n$/, '');
  if (secret === '') throw new ConfigurationError(`the secret in ${source.file} is empty`);
  return secret;
}
