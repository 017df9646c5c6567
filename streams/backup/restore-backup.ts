import type { StreamName } from '../../schemas/catalog.ts';
import type { LogConnection } from '../connection.ts';
import type { ObjectStore } from '../object-store.ts';
import { describeStream, presentStreams, type TransferredStream, writeStreamStore } from '../stream-transfer.ts';
import { readChunks } from './chunks.ts';
import {
  BackupError,
  type BackupManifest,
  type BackupStream,
  backupKeys,
  listManifests,
  readManifest,
} from './manifest.ts';
import { encodeFrames } from './s2-frames.ts';
import { writeTar } from './tar.ts';

export interface RestorePorts {
  readonly connection: LogConnection;
  readonly store: ObjectStore;
  readonly name: string;
  /** When the backup was taken, as its report told; undefined: the newest. */
  readonly at: string | undefined;
  readonly replicas: number;
  readonly onProgress: (progress: { stream: StreamName; done: number; total: number }) => void;
}

export interface RestoreReport {
  readonly manifest: string;
  readonly created_at: string;
  readonly streams: readonly {
    readonly stream: StreamName;
    readonly messages: number;
    readonly last_sequence: number;
    /** An earlier run had brought it. */
    readonly already: boolean;
  }[];
}

/**
 * Puts the streams of a backup into a server that has none, with their sequences and times. One that broke off goes on
 * where it was: what is there already has to be a stream of this very backup.
 * @throws BackupError where the server has other streams, or the backup is damaged
 */
export async function restoreBackup(ports: RestorePorts): Promise<RestoreReport> {
  const { connection, store, name } = ports;
  const { key, manifest } = await chooseManifest(store, name, ports.at);
  const already = await restoredAlready(connection, manifest);
  const streams: RestoreReport['streams'][number][] = [];
  for (const backed of manifest.streams) {
    const there = already.get(backed.stream);
    const restored = there ?? (await restoreStream(ports, backed));
    streams.push({
      stream: backed.stream,
      messages: restored.messages,
      last_sequence: restored.lastSequence,
      already: there !== undefined,
    });
  }
  return { manifest: key, created_at: manifest.created_at, streams };
}

async function chooseManifest(
  store: ObjectStore,
  name: string,
  at: string | undefined,
): Promise<{ key: string; manifest: BackupManifest }> {
  const all = await listManifests(store, name);
  const key = at === undefined ? all.at(-1) : backupKeys(name).manifest(at);
  if (key === undefined) throw new BackupError(`there is no backup of the name "${name}"; see --name and --from`);
  const manifest = await readManifest(store, key);
  if (manifest === undefined) throw new BackupError(`there is no backup ${key}; those there are: ${all.join(', ')}`);
  return { key, manifest };
}

async function restoredAlready(
  connection: LogConnection,
  manifest: BackupManifest,
): Promise<Map<StreamName, TransferredStream>> {
  const found = new Map<StreamName, TransferredStream>();
  for (const name of await presentStreams(connection)) {
    const backed = manifest.streams.find(({ stream }) => stream === name);
    const now = backed === undefined ? undefined : await describeStream(connection, backed.stream);
    if (backed === undefined || now === undefined || !isRestored(backed, now))
      throw new BackupError(
        `the server has a stream ${name} already, which is not of this backup; nothing was changed. Restore into an ` +
          'empty server: a new --data-dir, or a nats-server whose store is empty and that nothing has provisioned yet',
      );
    found.set(backed.stream, now);
  }
  return found;
}

function isRestored(backed: BackupStream, now: TransferredStream): boolean {
  return now.createdAt === backed.created_at && now.lastSequence >= backed.last_sequence;
}

async function restoreStream(
  { connection, store, name, replicas, onProgress }: RestorePorts,
  backed: BackupStream,
): Promise<TransferredStream> {
  const { stream, bytes } = backed;
  const keys = backupKeys(name);
  let done = 0;
  const onChunk = (chunk: number) => {
    done += chunk;
    onProgress({ stream, done: Math.min(done, bytes), total: bytes });
  };
  const files = backed.files.map((file) => ({
    name: file.name,
    bytes: file.bytes,
    content: readChunks(store, keys.chunk, file, onChunk),
  }));
  const described: TransferredStream = {
    stream,
    createdAt: backed.created_at,
    firstSequence: backed.first_sequence,
    lastSequence: backed.last_sequence,
    messages: backed.messages,
    bytes,
    config: backed.config as unknown as TransferredStream['config'],
  };
  const now = await writeStreamStore(connection, described, replicas, encodeFrames(writeTar(files)));
  onProgress({ stream, done: bytes, total: bytes });
  if (!isRestored(backed, now))
    throw new BackupError(
      `${stream} was restored up to ${now.lastSequence} instead of ${backed.last_sequence}: the server did not take it whole. Empty its store and restore again`,
    );
  return now;
}
