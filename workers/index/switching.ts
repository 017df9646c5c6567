import type { CorpusSpaceData } from '../../schemas/events/corpus-space.ts';
import type { IndexSwitchData } from '../../schemas/events/index-switch.ts';
import type { Position } from '../../schemas/position.ts';
import { parseSpace } from '../../schemas/space.ts';
import type { LogConnection } from '../../streams/connection.ts';
import type { RuntimeLog } from '../../streams/logger.ts';
import type { ObjectStore } from '../../streams/object-store.ts';
import { type Projector, startProjector } from '../../streams/projector.ts';
import { readStreamState } from '../../streams/stream-reader.ts';
import {
  createIndexCatalogue,
  type IndexCatalogue,
  type IndexEntry,
  type IndexName,
} from '../corpus-index/catalogue.ts';
import { createCorpusIndex } from '../corpus-index/corpus-index.ts';
import { conformCorpus } from '../corpus-index/fold.ts';
import { demandsOf } from '../corpus-index/reform.ts';
import { loadSnapshotEntries } from '../corpus-index/snapshots.ts';
import { type Checkpoint, startIndexFolds, vectorSubjectsOf } from '../corpus-index/state.ts';
import type { CorpusSpace, CorpusSpaces } from '../corpus-spaces/corpus-spaces.ts';

export interface SwitchingPorts {
  readonly connection: LogConnection;
  readonly store: ObjectStore;
  readonly catalogue: IndexCatalogue;
  readonly log: RuntimeLog;
  /** What spaces are to corpora; told of all that INDEXES says. */
  readonly spaces: CorpusSpaces;
  /** How far the live indexes are folded. */
  readonly position: () => Position;
}

export interface Switching {
  /** Indexes on their way in: the live fold goes into them too, so that they miss nothing when they take over. */
  readonly joining: IndexCatalogue;
  readonly rebuiltBy: (entry: IndexEntry) => string | null;
  /** Whether events of an index are folded: not where its space was dropped, or is on its way in again. */
  readonly isFolded: (name: IndexName) => boolean;
  stop(): Promise<void>;
}

/**
 * Follows INDEXES: loads an index that was rebuilt aside, folds what came since into it, and lets it take over; searches
 * are answered by the old one until then. Joining a record is idempotent and commutes, so the tail and the live fold may
 * both bring it. At boot only side indexes are taken up: a switch of the past is in the state already.
 */
export async function startSwitching(ports: SwitchingPorts): Promise<Switching> {
  const { connection, catalogue, log } = ports;
  const joining = createIndexCatalogue('');
  const rebuilds = new WeakMap<IndexEntry['index'], string>();
  const { lastSequence: bootSequence } = await readStreamState(connection, 'INDEXES');

  const follow = async (data: IndexSwitchData, sequence: number): Promise<void> => {
    const { kind, corpus, space, side } = data;
    const name: IndexName = { kind, corpus, space, side };
    if (data.manifest === null) {
      if (side !== null) for (const entry of [...catalogue.all()]) if (entry.side === side) catalogue.remove(entry);
      return;
    }
    if (side === null && (sequence <= bootSequence || !isFolded(name))) return;
    const { parameters } = side === null ? demandsOf(catalogue.corpusState(corpus)) : demandsOf(undefined);
    const options = { parameters: kind === 'documents' ? parameters : {} };
    const loaded = await loadSnapshotEntries(ports.store, data.manifest, options).catch((error: unknown) => {
      // At boot nobody is kept waiting for a side index by a store that is away; a switch is tried until it is done.
      if (sequence > bootSequence) throw error;
      return { ok: false as const, reason: String(error) };
    });
    if (!loaded.ok) {
      log.error(
        { ...name, manifest: data.manifest, reason: loaded.reason },
        'a rebuilt index can not be loaded; the old one stays',
      );
      return;
    }
    for (const entry of loaded.entries) {
      const joined = side === null ? await join(entry, data.checkpoint, ports, joining) : entry;
      joining.remove(entry);
      // Undefined where the corpus was dropped meanwhile.
      if (joined === undefined) continue;
      rebuilds.set(joined.index, data.run_id);
      catalogue.set({ ...joined, side });
      log.info(
        { ...name, run: data.run_id },
        side === null ? 'switched to a rebuilt index' : 'a side index can be asked',
      );
    }
  };

  const { spaces } = ports;
  const entering = new Set<string>();
  const isFolded = ({ kind, corpus, space }: IndexName) =>
    kind === 'playbooks' || (!spaces.isDropped(corpus, space) && !entering.has(`${corpus} ${space}`));

  /** What was dropped is not in the state: what is held again is folded aside from its beginning, and put in. */
  const enterAgain = async ({ corpus, space }: CorpusSpace): Promise<void> => {
    const name: IndexName = { kind: 'documents', corpus, space, side: null };
    const parsed = parseSpace(space);
    if (parsed === undefined || catalogue.get(name) !== undefined) return;
    entering.add(`${corpus} ${space}`);
    const entry = { ...name, index: createCorpusIndex({ space: parsed, distance: 'cosine' }) };
    const joined = await join(entry, {}, ports, joining);
    if (joined !== undefined) catalogue.set(joined);
    joining.remove(entry);
    entering.delete(`${corpus} ${space}`);
  };

  const followSpace = async (data: CorpusSpaceData, sequence: number): Promise<void> => {
    const { corpus, space, state } = data;
    const wasDropped = spaces.isDropped(corpus, space);
    if (wasDropped && state !== 'dropped' && sequence > bootSequence) entering.add(`${corpus} ${space}`);
    spaces.note(data);
    // At boot only the last word counts, which is not heard yet.
    if (sequence <= bootSequence) return;
    if (state === 'dropped') catalogue.remove({ kind: 'documents', corpus, space, side: null });
    else if (wasDropped) await enterAgain(data);
  };

  const projector: Projector = startProjector({
    connection,
    log,
    stream: 'INDEXES',
    worker: 'index',
    checkpoint: 0,
    handlers: {
      'lakehouse.index-switched': ({ data }, { sequence }) => follow(data, sequence),
      'lakehouse.corpus-space': ({ data }, { sequence }) => followSpace(data, sequence),
      // Only who rebuilds has to know who else does.
      'lakehouse.index-lease': () => undefined,
    },
  });
  await projector.caughtUp;
  for (const entry of [...catalogue.all()]) if (entry.side === null && !isFolded(entry)) catalogue.remove(entry);
  for (const again of spaces.heldAgain()) await enterAgain(again);
  return { joining, isFolded, rebuiltBy: ({ index }) => rebuilds.get(index) ?? null, stop: () => projector.stop() };
}

/**
 * Brings a loaded index up to the live position. From here on the live fold goes into it too; where what is said of the
 * corpus puts another index in its place, it does so for both.
 */
async function join(
  entry: IndexEntry,
  checkpoint: Checkpoint,
  { connection, log, position, catalogue }: SwitchingPorts,
  joining: IndexCatalogue,
): Promise<IndexEntry | undefined> {
  joining.set(entry);
  for (const state of catalogue.corpusStates()) joining.sayCorpus(state);
  if (entry.kind === 'documents') conformCorpus(joining, entry.corpus);
  const folds = startIndexFolds({
    connection,
    log,
    worker: 'index',
    catalogue: joining,
    checkpoint,
    until: position(),
    // The live fold meets what can not be read, too, and sets it aside.
    onlyLooks: true,
    vectorSubjects: vectorSubjectsOf(entry),
    concerns: ({ kind, corpus, space }) => kind === entry.kind && corpus === entry.corpus && space === entry.space,
    betweenEvents: () => new Promise((resolve) => setImmediate(resolve)),
  });
  await folds.finished;
  const index = joining.get(entry);
  return index === undefined ? undefined : { ...entry, index };
}
