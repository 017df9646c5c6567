import { expect, it } from 'vitest';
import { proveSystemBackup } from '../backup/testing.ts';
import { closeTestBucket, environmentOfBucket, openTestBucket } from './testing.ts';

it('a living system is backed up into the bucket and restored from it', async () => {
  const { store, settings } = await openTestBucket();
  await proveSystemBackup({ store, environment: environmentOfBucket(settings) });
  expect((await store.list('backups/system/manifests/')).length).toBe(1);
  await closeTestBucket(store);
});
