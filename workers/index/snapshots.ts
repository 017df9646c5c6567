import type { Position } from '../../schemas/position.ts';
import type { IndexInfo } from '../../schemas/requests/index.ts';
import { type Clock, isoTime } from '../../streams/clock.ts';
import type { RuntimeLog } from '../../streams/logger.ts';
import type { ObjectStore } from '../../streams/object-store.ts';
import type { ServiceHandler } from '../../streams/service.ts';
import { readStreamIdentity, readStreamState } from '../../streams/stream-reader.ts';
import type { RuntimeConnection } from '../../streams/transport.ts';
import type { IndexCatalogue } from '../corpus-index/catalogue.ts';
import { conformCorpus } from '../corpus-index/fold.ts';
import { demandsOf } from '../corpus-index/reform.ts';
import {
  loadNewestSnapshot,
  pruneSnapshots,
  type SnapshotLog,
  saveSnapshotEntries,
} from '../corpus-index/snapshots.ts';
import { type Checkpoint, foldedStreams, readCorpora } from '../corpus-index/state.ts';

const snapshotFolder = 'snapshots';

export interface Boot {
  readonly checkpoint: Checkpoint;
  readonly snapshot: IndexInfo['snapshot'];
}

export interface BootPorts {
  readonly store: ObjectStore;
  readonly catalogue: IndexCatalogue;
  readonly connection: RuntimeConnection;
  readonly log: RuntimeLog;
}

/**
 * Fills the catalogue from what was said of every corpus, and from the newest snapshot that is whole and of this log; a bad
 * one is passed over, never loaded.
 */
export async function bootFromSnapshot({ store, catalogue, connection, log }: BootPorts): Promise<Boot> {
  await readCorpora(connection, 'index', log, catalogue);
  const ends: Record<string, number> = {};
  for (const stream of foldedStreams) ends[stream] = (await readStreamState(connection, stream)).lastSequence;
  const chosen = await loadNewestSnapshot(store, snapshotFolder, {
    parametersOf: ({ kind, corpus }) =>
      kind === 'documents' ? demandsOf(catalogue.corpusState(corpus)).parameters : {},
    refuse: async ({ checkpoint, log: told }) =>
      foreign(checkpoint, ends) ?? (await anotherLife(connection, checkpoint, told)),
  }).catch((error: unknown) => {
    log.warn({ error }, 'the snapshots can not be read; the state is folded from the log');
    return undefined;
  });
  for (const { key, reason } of chosen?.skipped ?? []) log.warn({ key, reason }, 'a snapshot is passed over');
  if (chosen?.snapshot === undefined) return { checkpoint: {}, snapshot: null };
  const { key, checkpoint, createdAt, entries, notes } = chosen.snapshot;
  // Another worker may have taken it since, behind a word on a corpus that is not folded from its checkpoint on any more.
  await readCorpora(connection, 'index', log, catalogue);
  for (const entry of entries) catalogue.set(entry);
  // What was dropped since the snapshot was taken is not to be found while its tail is folded.
  for (const { corpus } of catalogue.corpusStates()) conformCorpus(catalogue, corpus);
  log.info({ key, checkpoint, indexes: entries.length, notes }, 'loaded a snapshot');
  return { checkpoint, snapshot: { key, created_at: createdAt } };
}

/** A checkpoint behind the end of its stream is of another log, or of one that was set back. */
function foreign(checkpoint: Checkpoint, ends: Checkpoint): string | undefined {
  const stream = foldedStreams.find((one) => (checkpoint[one] ?? 0) > (ends[one] ?? 0));
  if (stream === undefined) return undefined;
  return `it is at ${stream} ${checkpoint[stream]}, and the log ends at ${ends[stream]}`;
}

/** A log that was restored is as it was up to the backup's end; what came behind it came another time. */
async function anotherLife(
  connection: RuntimeConnection,
  checkpoint: Checkpoint,
  told: SnapshotLog | undefined,
): Promise<string | undefined> {
  for (const [stream, then] of Object.entries(told ?? {})) {
    const folded = foldedStreams.find((one) => one === stream);
    const sequence = checkpoint[stream] ?? 0;
    if (folded === undefined || sequence === 0) continue;
    const { createdAt, storedAt } = await readStreamIdentity(connection, folded, sequence);
    if (createdAt !== then.created_at)
      return `it is of a ${stream} that was made ${then.created_at}, and this one was made ${createdAt}`;
    if (storedAt !== null && then.stored_at !== null && storedAt !== then.stored_at)
      return `it is of another life of the log: ${stream} ${sequence} was stored at another time`;
  }
  return undefined;
}

/** Which lives of the streams a checkpoint is of, as the server tells it now. */
export async function logOf(connection: RuntimeConnection, checkpoint: Checkpoint): Promise<SnapshotLog> {
  if (!connection.isConnected()) throw new Error('the log is away: whose snapshot this is can not be told');
  const lives = foldedStreams.map(async (stream) => {
    const { createdAt, storedAt } = await readStreamIdentity(connection, stream, checkpoint[stream] ?? 0);
    return [stream, { created_at: createdAt, stored_at: storedAt }] as const;
  });
  return Object.fromEntries(await Promise.all(lives));
}

export interface SnapshotPorts {
  readonly store: ObjectStore;
  readonly catalogue: IndexCatalogue;
  readonly position: () => Position;
  readonly clock: Clock;
  readonly log: RuntimeLog;
  /** Which lives of the streams a checkpoint is of. */
  readonly logOf: (checkpoint: Checkpoint) => Promise<SnapshotLog>;
  /** 0: only when asked, and at the end. */
  readonly intervalMs: number;
  readonly kept: number;
  readonly newest: IndexInfo['snapshot'];
  readonly bootedAt: Checkpoint;
  /** Goes into the names of snapshots, so that two workers on one store do not write the same. */
  readonly instance: string;
}

export interface Snapshots {
  readonly newest: () => IndexInfo['snapshot'];
  /** `svc.index.snapshot`: takes one now. */
  readonly endpoint: ServiceHandler;
  /** Takes a last one where something was folded since. */
  stop(): Promise<void>;
}

/** Takes snapshots from time to time, and keeps the newest few. One that fails is told, and taken at the next time. */
export function startSnapshots(ports: SnapshotPorts): Snapshots {
  const { store, catalogue, position, clock, log } = ports;
  let newest = ports.newest;
  let takenAt: Checkpoint = ports.bootedAt;
  let running: Promise<unknown> = Promise.resolve();

  const take = async (): Promise<void> => {
    const checkpoint = { ...position() };
    if (foldedStreams.every((stream) => checkpoint[stream] === takenAt[stream]) && newest !== null) return;
    const began = clock.monotonicMs();
    const createdAt = isoTime(clock);
    const folder = `${snapshotFolder}/${createdAt.replace(/[:.]/g, '-')}-${ports.instance}`;
    const entries = [...catalogue.all()].filter((entry) => entry.side === null);
    const key = await saveSnapshotEntries(store, folder, entries, checkpoint, createdAt, {
      log: await ports.logOf(checkpoint),
    });
    newest = { key, created_at: createdAt };
    takenAt = checkpoint;
    log.info({ key, checkpoint, durationMs: Math.round(clock.monotonicMs() - began) }, 'took a snapshot');
    await pruneSnapshots(store, snapshotFolder, ports.kept, key);
  };
  const queue = (): Promise<void> => {
    const taken = running.then(take);
    running = taken.catch((error: unknown) =>
      log.error({ error }, 'a snapshot could not be taken; the next one tries again'),
    );
    return taken;
  };
  const timer = ports.intervalMs === 0 ? undefined : setInterval(queue, ports.intervalMs);
  timer?.unref();

  return {
    newest: () => newest,
    endpoint: async () => {
      await queue();
      return { body: JSON.stringify({ snapshot: newest }), position: position() };
    },
    stop: async () => {
      clearInterval(timer);
      void queue();
      await running;
    },
  };
}
