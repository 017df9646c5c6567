import type { ObjectStore } from '../../streams/object-store.ts';
import type { IndexEntry } from './catalogue.ts';
import type { Checkpoint } from './state.ts';
export type LoadedSnapshot =
  | { ok: true; entries: IndexEntry[]; checkpoint: Checkpoint; createdAt: string }
  | { ok: false; reason: string };
export async function listSnapshots(_store: ObjectStore, _prefix: string): Promise<string[]> {
  return [];
}
export async function pruneSnapshots(_store: ObjectStore, _prefix: string, _kept: number): Promise<void> {}
export async function saveSnapshotEntries(
  _store: ObjectStore,
  _prefix: string,
  _entries: readonly IndexEntry[],
  _checkpoint: Checkpoint,
  _createdAt: string,
): Promise<string> {
  return 'none';
}
export async function loadSnapshotEntries(_store: ObjectStore, _manifest: string): Promise<LoadedSnapshot> {
  return { ok: false, reason: 'none' };
}
