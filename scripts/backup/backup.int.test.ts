import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createLocalObjectStore } from '../../streams/local-object-store.ts';
import { proveSystemBackup } from './testing.ts';

it('a living system is restored into an empty server: digests, oracles, lines and what comes after', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'lakehouse-system-'));
  const store = createLocalObjectStore(directory);
  await proveSystemBackup({ store, environment: {} }).finally(() => rm(directory, { recursive: true, force: true }));
  expect.hasAssertions();
});
