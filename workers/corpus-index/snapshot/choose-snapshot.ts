import { failpoint } from '../../../streams/failpoints.ts';
import type { ObjectStore } from '../../../streams/object-store.ts';
import { SnapshotFault } from './frames.ts';
import { type LoadedSnapshot, type LoadOptions, loadSnapshotEntries } from './load-snapshot.ts';
import { folderOf, manifestName, readManifest, type SnapshotManifest } from './manifest.ts';

export interface SkippedSnapshot {
  readonly key: string;
  readonly reason: string;
}

export interface ChosenSnapshot {
  readonly snapshot: LoadedSnapshot | undefined;
  /** Snapshots that were newer and are not sound. */
  readonly skipped: readonly SkippedSnapshot[];
}

export interface ChooseOptions extends LoadOptions {
  /** Why a sound snapshot is not for this log, such as a checkpoint that lies behind the end of a stream. */
  readonly refuse?: (
    manifest: Pick<SnapshotManifest, 'checkpoint' | 'created_at' | 'log'>,
  ) => string | undefined | Promise<string | undefined>;
}

/**
 * Loads the newest sound snapshot below a folder. Newest is the one that was folded furthest: clocks may jump. One that is
 * not sound is told of and never loaded.
 */
export async function loadNewestSnapshot(
  store: ObjectStore,
  folder: string,
  options: ChooseOptions = {},
): Promise<ChosenSnapshot> {
  const { sound, unsound } = await readManifests(store, folder);
  const skipped = [...unsound];
  for (const { key, manifest } of sound) {
    const refused = await options.refuse?.(manifest);
    const outcome =
      refused === undefined
        ? await loadSnapshotEntries(store, key, options)
        : { ok: false as const, key, reason: refused };
    if (outcome.ok) return { snapshot: outcome, skipped };
    skipped.push({ key, reason: outcome.reason });
  }
  return { snapshot: undefined, skipped };
}

/**
 * Lets all but the newest snapshots below a folder go, each with its manifest first, so that none is ever there without
 * its bodies. What has no sound manifest goes when its folder's name sorts before those of all that are kept: it may be
 * one that is just being written, or that a newer program wrote.
 * @param keep how many stay, at least one
 * @param written the manifest that was written last: it stays in any case
 * @returns the keys that were let go
 */
export async function pruneSnapshots(
  store: ObjectStore,
  folder: string,
  keep: number,
  written?: string,
): Promise<string[]> {
  const { sound } = await readManifests(store, folder);
  const kept = sound.filter(({ key }, place) => place < Math.max(1, keep) || key === written);
  const keptFolders = new Set(kept.map(({ key }) => folderOf(key)));
  const soundFolders = new Set(sound.map(({ key }) => folderOf(key)));
  const oldest = [...keptFolders].sort()[0] ?? '';
  const goes = (key: string) => {
    const own = folderOf(key);
    return !keptFolders.has(own) && (soundFolders.has(own) || own < oldest);
  };
  const keys = (await store.list(`${folder}/`)).map((one) => one.key).filter(goes);
  const isManifest = (key: string) => key.endsWith(`/${manifestName}`);
  const ordered = [...keys.filter(isManifest), ...keys.filter((key) => !isManifest(key))];
  for (const key of ordered) {
    await store.delete(key);
    failpoint('pruning');
  }
  return ordered;
}

interface Found {
  readonly sound: readonly { readonly key: string; readonly manifest: SnapshotManifest }[];
  readonly unsound: readonly SkippedSnapshot[];
}

async function readManifests(store: ObjectStore, folder: string): Promise<Found> {
  const sound: { key: string; manifest: SnapshotManifest }[] = [];
  const unsound: SkippedSnapshot[] = [];
  for (const { key } of await store.list(`${folder}/`)) {
    if (!key.endsWith(`/${manifestName}`)) continue;
    try {
      sound.push({ key, manifest: await readManifest(store, key) });
    } catch (error) {
      if (!(error instanceof SnapshotFault)) throw error;
      unsound.push({ key, reason: error.message });
    }
  }
  const folded = (manifest: SnapshotManifest) =>
    Object.values(manifest.checkpoint).reduce((sum, sequence) => sum + sequence, 0);
  sound.sort(
    (one, other) =>
      folded(other.manifest) - folded(one.manifest) || (one.manifest.created_at < other.manifest.created_at ? 1 : -1),
  );
  return { sound, unsound };
}
