import type { Position } from '../../schemas/position.ts';
import type { IndexInfo } from '../../schemas/requests/index.ts';
import { type Clock, isoTime } from '../../streams/clock.ts';
import type { LogConnection } from '../../streams/connection.ts';
import type { RuntimeLog } from '../../streams/logger.ts';
import type { ObjectStore } from '../../streams/object-store.ts';
import type { ServiceHandler } from '../../streams/service.ts';
import { readStreamState } from '../../streams/stream-reader.ts';
import type { IndexCatalogue } from '../corpus-index/catalogue.ts';
import type { FoldGate } from '../corpus-index/gate.ts';
import { listSnapshots, loadSnapshotEntries, pruneSnapshots, saveSnapshotEntries } from '../corpus-index/snapshots.ts';
import { type Checkpoint, foldedStreams } from '../corpus-index/state.ts';

const snapshotPrefix = 'snapshots';

export interface Boot {
  readonly checkpoint: Checkpoint;
  readonly snapshot: IndexInfo['snapshot'];
}

export interface BootPorts {
  readonly store: ObjectStore;
  readonly catalogue: IndexCatalogue;
  readonly connection: LogConnection;
  readonly log: RuntimeLog;
}

/** Fills the catalogue from the newest snapshot that is whole and of this log; a bad one is skipped, never loaded. */
export async function bootFromSnapshot({ store, catalogue, connection, log }: BootPorts): Promise<Boot> {
  const keys = await listSnapshots(store, snapshotPrefix).catch((error: unknown) => {
    log.warn({ error }, 'the snapshots can not be listed; the state is folded from the log');
    return [];
  });
  for (const key of keys) {
    const loaded = await loadSnapshotEntries(store, key);
    const fault = loaded.ok ? await foreign(loaded.checkpoint, connection) : loaded.reason;
    if (!loaded.ok || fault !== undefined) {
      log.warn({ key, reason: fault }, 'a snapshot is passed over');
      continue;
    }
    for (const entry of loaded.entries) catalogue.set(entry);
    log.info({ key, checkpoint: loaded.checkpoint, indexes: loaded.entries.length }, 'loaded a snapshot');
    return { checkpoint: loaded.checkpoint, snapshot: { key, created_at: loaded.createdAt } };
  }
  return { checkpoint: {}, snapshot: null };
}

/** A checkpoint behind the end of its stream is of another log, or of one that was set back. */
async function foreign(checkpoint: Checkpoint, connection: LogConnection): Promise<string | undefined> {
  for (const stream of foldedStreams) {
    const { lastSequence } = await readStreamState(connection, stream);
    const at = checkpoint[stream] ?? 0;
    if (at > lastSequence) return `it is at ${stream} ${at}, and the log ends at ${lastSequence}`;
  }
  return undefined;
}

export interface SnapshotPorts {
  readonly store: ObjectStore;
  readonly catalogue: IndexCatalogue;
  readonly gate: FoldGate;
  readonly position: () => Position;
  readonly clock: Clock;
  readonly log: RuntimeLog;
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
  const { store, catalogue, gate, position, clock, log } = ports;
  let newest = ports.newest;
  let takenAt: Checkpoint = ports.bootedAt;
  let running: Promise<unknown> = Promise.resolve();

  const take = async (): Promise<void> => {
    await gate.whileHeld(async () => {
      const checkpoint = { ...position() };
      if (foldedStreams.every((stream) => checkpoint[stream] === takenAt[stream]) && newest !== null) return;
      const began = clock.monotonicMs();
      const createdAt = isoTime(clock);
      const prefix = `${snapshotPrefix}/${createdAt.replace(/[:.]/g, '-')}-${ports.instance}`;
      const entries = [...catalogue.all()].filter((entry) => entry.side === null);
      const key = await saveSnapshotEntries(store, prefix, entries, checkpoint, createdAt);
      newest = { key, created_at: createdAt };
      takenAt = checkpoint;
      log.info({ key, checkpoint, durationMs: Math.round(clock.monotonicMs() - began) }, 'took a snapshot');
    });
    await pruneSnapshots(store, snapshotPrefix, ports.kept);
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
