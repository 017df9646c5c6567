import { resolve } from 'node:path';
import type { Configuration } from '../../schemas/configuration.ts';
import { systemClock } from '../../streams/clock.ts';
import { createLocalObjectStore } from '../../streams/local-object-store.ts';
import type { ObjectStore } from '../../streams/object-store.ts';
import { openObjectStore } from '../../streams/open-object-store.ts';
import { usageError } from '../command/errors.ts';

export const backupNamePattern = /^[a-z0-9_-]{1,64}$/;

/**
 * Where backups lie: the directory that a flag names, else the bucket that is configured.
 * @throws CommandError 2 where there is neither: a backup beside what it is of is none
 */
export async function backupStore(
  flag: 'to' | 'from',
  directory: string | undefined,
  configuration: Configuration,
): Promise<ObjectStore> {
  if (directory !== undefined) return createLocalObjectStore(resolve(directory));
  if (configuration.objectStore.kind === 's3') return openObjectStore(configuration, systemClock);
  throw usageError(
    'it is not said where backups lie',
    `Name a directory on another disk with --${flag} DIR, or configure a bucket (LAKEHOUSE_OBJECT_STORE=s3).`,
  );
}

export function checkedBackupName(name: string): string {
  if (backupNamePattern.test(name)) return name;
  throw usageError(`"${name}" is no name of a backup`, 'Take 1 to 64 of a-z, 0-9, "_" and "-".');
}
