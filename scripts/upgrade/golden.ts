import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { streamNames } from '../../schemas/catalog.ts';
import { decodeEvent } from '../../schemas/decode.ts';
import { sha256Schema } from '../../schemas/primitives.ts';
import { restoreBackup } from '../../streams/backup/restore-backup.ts';
import { takeBackup } from '../../streams/backup/take-backup.ts';
import type { LogConnection } from '../../streams/connection.ts';
import { createLocalObjectStore } from '../../streams/local-object-store.ts';
import { readStream } from '../../streams/read-stream.ts';
import type { TestStack } from '../testing/stack.ts';
import { serviceDigests } from './digests.ts';

/** Logs whose projection is a file, a line for each message. */
export const lineFiles = [
  { stream: 'AUDIT_BASELINES', file: 'audit_baselines.jsonl' },
  { stream: 'REPLAY_RUNS', file: 'replay_runs.jsonl' },
] as const;

const backupName = 'golden';

const digestSchema = z.strictObject({
  kind: z.string(),
  corpus: z.string(),
  space: z.string(),
  live: z.number().int(),
  digest: sha256Schema,
});

/** What a version wrote, and what every later one has to read in it. */
export const expectedSchema = z.strictObject({
  schema: z.literal('lakehouse.golden.v1'),
  version: z.string(),
  nats_server: z.string(),
  /** Messages of each stream by the type of the event. */
  events: z.record(z.string(), z.record(z.string(), z.number().int())),
  digests: z.array(digestSchema),
  snapshot: z.string(),
});
export type Expected = z.output<typeof expectedSchema>;
export type GoldenDigest = z.output<typeof digestSchema>;

/** Writes what a living system holds: its streams, its snapshots, the files of its logs, and what is to be read in them. */
export async function writeGolden(
  stack: TestStack,
  about: Pick<Expected, 'version' | 'nats_server'>,
  directory: string,
): Promise<Expected> {
  await mkdir(directory, { recursive: true });
  const store = createLocalObjectStore(join(directory, 'log'));
  const ports = { connection: stack.operator, store, name: backupName, keep: 1, onProgress: () => undefined };
  const { streams } = await takeBackup(ports);
  // Who lives goes on observing.
  const ends = new Map<string, number>(streams.map(({ stream, last_sequence }) => [stream, last_sequence]));
  const { dataDirectory } = stack.configuration;
  // What was rebuilt is in the snapshot too.
  const isKept = (path: string) => !path.includes(join('snapshots', 'rebuilds'));
  await cp(join(dataDirectory, 'snapshots'), join(directory, 'snapshots'), { recursive: true, filter: isKept });
  for (const { file } of lineFiles) await cp(join(dataDirectory, '_kb', file), join(directory, file));
  const snapshot = (await stack.client.indexInfo()).snapshot?.key;
  if (snapshot === undefined) throw new Error('there is no snapshot');
  const expected: Expected = {
    schema: 'lakehouse.golden.v1',
    ...about,
    events: await readEvents(stack.operator, ends),
    digests: await serviceDigests(stack.client),
    snapshot,
  };
  await writeFile(join(directory, 'expected.json'), `${JSON.stringify(expected, null, 2)}\n`);
  return expected;
}

export async function readExpected(directory: string): Promise<Expected> {
  return expectedSchema.parse(JSON.parse(await readFile(join(directory, 'expected.json'), 'utf8')));
}

/** Puts what a version wrote into an empty server and an empty data directory. */
export async function restoreGolden(
  connection: LogConnection,
  directory: string,
  dataDirectory: string,
): Promise<void> {
  const store = createLocalObjectStore(join(directory, 'log'));
  const ports = { connection, store, name: backupName, at: undefined, replicas: 1, onProgress: () => undefined };
  await restoreBackup(ports);
  await cp(join(directory, 'snapshots'), join(dataDirectory, 'snapshots'), { recursive: true });
}

/** Every message of every stream up to its end, by what it was read as; `unreadable: <why>` where it was not. */
export async function readEvents(
  connection: LogConnection,
  ends: ReadonlyMap<string, number> = new Map(),
): Promise<Expected['events']> {
  const events: Record<string, Record<string, number>> = {};
  for (const stream of streamNames) {
    const counts: Record<string, number> = {};
    for await (const { sequence, payload, subject } of readStream(connection, stream)) {
      if (sequence > (ends.get(stream) ?? sequence)) break;
      const decoded = decodeEvent(stream, payload, subject);
      const name = decoded.ok ? decoded.event.type : `unreadable: ${decoded.reason}`;
      counts[name] = (counts[name] ?? 0) + 1;
    }
    events[stream] = counts;
  }
  return events;
}
