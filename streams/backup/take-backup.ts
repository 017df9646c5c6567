import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { type StreamName, streamNames } from '../../schemas/catalog.ts';
import { isoTime } from '../clock.ts';
import type { LogConnection } from '../connection.ts';
import type { ObjectStore } from '../object-store.ts';
import { describeStream, presentStreams, readStreamStore, type TransferredStream } from '../stream-transfer.ts';
import { type ChunkCounts, writeChunks } from './chunks.ts';
import {
  BackupError,
  type BackupManifest,
  type BackupStream,
  backupKeys,
  backupVersion,
  listManifests,
  readManifest,
  writeManifest,
} from './manifest.ts';
import { decodeFrames } from './s2-frames.ts';
import { readTar } from './tar.ts';

/**
 * INGEST last: what the others hold was said by messages that are in it then, and what was said since they were taken is
 * worked on again by the reactors, which begin anew in a restored log.
 */
const backupOrder: readonly StreamName[] = [
  'VECTORS',
  'DOCUMENTS',
  ...streamNames.filter((name) => name !== 'VECTORS' && name !== 'DOCUMENTS' && name !== 'INGEST'),
  'INGEST',
];

export interface BackupPorts {
  readonly connection: LogConnection;
  readonly store: ObjectStore;
  /** Backups of one name share chunks: one is taken at a time. */
  readonly name: string;
  /** How many backups stay; older ones go, with the chunks that only they had. */
  readonly keep: number;
  readonly onProgress: (progress: { stream: StreamName; done: number; total: number }) => void;
}

export interface BackupReport extends ChunkCounts {
  readonly manifest: string;
  readonly created_at: string;
  readonly streams: readonly {
    readonly stream: StreamName;
    readonly messages: number;
    readonly last_sequence: number;
    /** Nothing had changed since the backup before. */
    readonly unchanged: boolean;
  }[];
  readonly let_go: number;
}

/**
 * Takes every stream into the object store while it is written to: each as it is when its turn comes, up to its last
 * sequence then at the least. Only what is not there yet is written, the manifest last; one that breaks off is taken up
 * by the next.
 * @throws BackupError, ObjectStoreError, NatsError; what was written stays for the next run
 */
export async function takeBackup(ports: BackupPorts): Promise<BackupReport> {
  const { connection, store, name } = ports;
  const keys = backupKeys(name);
  const createdAt = isoTime(connection.clock);
  const present = new Set((await store.list(keys.chunks)).map(({ key }) => key));
  const earlier = await earlierStreams(store, name, present);
  const there = await presentStreams(connection);
  const counts: ChunkCounts = { written: 0, writtenBytes: 0, known: 0 };
  const manifestOf = (streams: readonly BackupStream[]): BackupManifest => ({
    format: 'lakehouse.backup',
    version: backupVersion,
    created_at: createdAt,
    server_version: connection.nats.info?.version ?? 'unknown',
    streams: [...streams],
  });
  const streams: BackupStream[] = [];
  const unchanged = new Set<StreamName>();
  for (const stream of backupOrder.filter((one) => there.includes(one))) {
    const described = await describeStream(connection, stream);
    const before = earlier.get(stream);
    if (before !== undefined && isSame(before, described)) {
      unchanged.add(stream);
      streams.push(before);
      continue;
    }
    const taken = await takeStream(ports, described, present, counts);
    streams.push(taken);
    await writeManifest(store, keys.unfinishedStream(stream), manifestOf([taken]));
  }
  if (streams.length === 0)
    throw new BackupError('the log has no streams; there is nothing to back up. See "lakehouse provision"');
  const manifest = keys.manifest(createdAt);
  await writeManifest(store, manifest, manifestOf(streams));
  for (const { key } of await store.list(keys.unfinished)) await store.delete(key);
  const letGo = await prune(store, name, ports.keep);
  return {
    manifest,
    created_at: createdAt,
    ...counts,
    streams: streams.map(({ stream, messages, last_sequence }) => {
      return { stream, messages, last_sequence, unchanged: unchanged.has(stream) };
    }),
    let_go: letGo,
  };
}

/** What is there of each stream: of the newest backup, or of one that broke off later. */
async function earlierStreams(
  store: ObjectStore,
  name: string,
  present: ReadonlySet<string>,
): Promise<Map<StreamName, BackupStream>> {
  const keys = backupKeys(name);
  const newest = (await listManifests(store, name)).at(-1);
  const unfinished = (await store.list(keys.unfinished)).map(({ key }) => key);
  const found = new Map<StreamName, BackupStream>();
  for (const key of [...(newest === undefined ? [] : [newest]), ...unfinished]) {
    // One that is damaged is no reason not to take another.
    const manifest = await readManifest(store, key).catch((error: unknown) => {
      if (error instanceof BackupError) return undefined;
      throw error;
    });
    for (const stream of manifest?.streams ?? [])
      if (stream.files.every((file) => file.chunks.every(({ sha256 }) => present.has(keys.chunk(sha256)))))
        found.set(stream.stream, stream);
  }
  return found;
}

function isSame(before: BackupStream, now: TransferredStream): boolean {
  return (
    before.created_at === now.createdAt &&
    before.first_sequence === now.firstSequence &&
    before.last_sequence === now.lastSequence &&
    before.messages === now.messages &&
    before.bytes === now.bytes &&
    JSON.stringify(before.config) === JSON.stringify(now.config)
  );
}

/**
 * The server sends its store on whether it is read or not, so that it goes to a file first: an object store may be slower
 * than the server, and memory is not for that.
 */
async function takeStream(
  { connection, store, name, onProgress }: BackupPorts,
  described: TransferredStream,
  present: Set<string>,
  counts: ChunkCounts,
): Promise<BackupStream> {
  const { stream, createdAt, firstSequence, lastSequence, messages, bytes, config } = described;
  const scratch = await mkdtemp(join(tmpdir(), 'lakehouse-backup-'));
  try {
    const file = join(scratch, stream);
    await pipeline(readStreamStore(connection, stream), createWriteStream(file, { mode: 0o600 }));
    let done = 0;
    const onChunk = (chunk: number) => {
      done += chunk;
      onProgress({ stream, done: Math.min(done, bytes), total: bytes });
    };
    const ports = { store, keyOf: backupKeys(name).chunk, present, counts, onChunk };
    const files = await writeChunks(ports, readTar(decodeFrames(createReadStream(file))));
    onProgress({ stream, done: bytes, total: bytes });
    return {
      stream,
      created_at: createdAt,
      first_sequence: firstSequence,
      last_sequence: lastSequence,
      messages,
      bytes,
      config: { ...config },
      files,
    };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Lets older backups go, manifests first, and chunks that no backup has any more. */
async function prune(store: ObjectStore, name: string, keep: number): Promise<number> {
  const keys = backupKeys(name);
  const manifests = await listManifests(store, name);
  const gone = manifests.slice(0, Math.max(0, manifests.length - Math.max(1, keep)));
  for (const key of gone) await store.delete(key);
  const used = new Set<string>();
  for (const key of manifests.slice(gone.length)) {
    const manifest = await readManifest(store, key).catch((error: unknown) => {
      if (error instanceof BackupError) return undefined;
      throw error;
    });
    // Whose chunks a damaged manifest needs is not known: all stay.
    if (manifest === undefined) return gone.length;
    for (const { files } of manifest.streams)
      for (const { chunks } of files) for (const { sha256 } of chunks) used.add(keys.chunk(sha256));
  }
  if (gone.length === 0) return 0;
  for (const { key } of await store.list(keys.chunks)) if (!used.has(key)) await store.delete(key);
  return gone.length;
}
