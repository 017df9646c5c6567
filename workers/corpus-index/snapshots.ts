/** Snapshots of indexes in an object store: the one door to `snapshot/`. */
export {
  type ChooseOptions,
  type ChosenSnapshot,
  loadNewestSnapshot,
  pruneSnapshots,
  type SkippedSnapshot,
} from './snapshot/choose-snapshot.ts';
export {
  type LoadedSnapshot,
  type LoadOptions,
  loadSnapshotEntries,
  type SnapshotOutcome,
} from './snapshot/load-snapshot.ts';
export type { SnapshotLog } from './snapshot/manifest.ts';
export { SnapshotError, type SnapshotOptions, saveSnapshotEntries } from './snapshot/write-snapshot.ts';
