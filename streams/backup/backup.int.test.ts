import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { headers } from 'nats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../clock.ts';
import { connectLog, type LogConnection } from '../connection.ts';
import { createLocalObjectStore } from '../local-object-store.ts';
import type { ObjectStore } from '../object-store.ts';
import { provisionStreams } from '../provision.ts';
import { withObjectFaults } from '../testing/faulty-object-store.ts';
import { readStream, startTestLog, type TestLog, testTopology } from '../testing/test-log.ts';
import { startTestServer } from '../testing/test-server.ts';
import { BackupError, backupKeys } from './manifest.ts';
import { restoreBackup } from './restore-backup.ts';
import { takeBackup } from './take-backup.ts';

let log: TestLog;
let directory = '';
let store: ObjectStore;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lakehouse-backup-test-'));
  store = createLocalObjectStore(join(directory, 'store'));
  log = await startTestLog();
});
afterAll(async () => {
  await log[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

const keepAll = 100;
const take = (to: ObjectStore, name: string, keep = keepAll) =>
  takeBackup({ connection: log.operator, store: to, name, keep, onProgress: () => undefined });

/** A server without streams. */
async function emptyServer() {
  const server = await startTestServer();
  const { user, pass: password } = server.optionsFor('operator');
  const operator = await connectLog({ url: server.url, user, password, name: 'restore', clock: systemClock });
  return {
    operator,
    restore: (from: ObjectStore, name: string, at?: string) =>
      restoreBackup({ connection: operator, store: from, name, at, replicas: 1, onProgress: () => undefined }),
    [Symbol.asyncDispose]: async () => {
      await operator.nats.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** Appends to a log, and to a stream that keeps the newest of each subject: full of gaps. */
async function say(count: number, from: number): Promise<void> {
  const [producer, ingest] = [await log.connectAs('gateway'), await log.connectAs('ingest')];
  for (let n = from; n < from + count; n++) {
    const text = `worker ${n} `.repeat(1 + (n % 40));
    const head = headers();
    head.set('X-Test', String(n));
    await producer.jetStream.publish('ingest.workers', JSON.stringify({ id: `w-${n}`, text }), {
      headers: head,
      msgID: `i-${n}`,
    });
    await ingest.jetStream.publish(`documents.workers.k${(n * 7_919) % 61}`, JSON.stringify({ n, text }), {
      msgID: `d-${n}`,
    });
  }
}

/** Every message of a stream, to the byte and the nanosecond. */
async function contentOf(connection: LogConnection, stream: 'INGEST' | 'DOCUMENTS') {
  const messages = await readStream(connection, stream);
  const last = messages.at(-1)?.sequence ?? 0;
  const { timestamp, header } = await connection.manager.streams.getMessage(stream, { seq: last });
  const { state, created } = await connection.manager.streams.info(stream);
  return {
    messages: messages.map(({ payload, ...rest }) => ({ ...rest, payload: Buffer.from(payload).toString('base64') })),
    timestamp,
    header: header.get('X-Test'),
    created,
    bounds: [state.first_seq, state.last_seq, state.messages],
  };
}

describe('a backup', () => {
  it('brings streams back with sequences, gaps, headers, times and duplicates known', async () => {
    await say(300, 0);
    const report = await take(store, 'whole');
    expect(report.written).toBeGreaterThan(0);
    await using empty = await emptyServer();
    const restored = await empty.restore(store, 'whole');
    expect(restored.created_at).toBe(report.created_at);
    await provisionStreams(empty.operator, testTopology);
    for (const stream of ['INGEST', 'DOCUMENTS'] as const)
      expect(await contentOf(empty.operator, stream)).toEqual(await contentOf(log.operator, stream));
    const { bounds } = await contentOf(empty.operator, 'DOCUMENTS');
    expect(bounds[2]).toBe(61);
    // What was said already is known to have been; what is new goes behind it.
    const again = await empty.operator.jetStream.publish('ingest.workers', '{}', { msgID: 'i-299' });
    expect(again.duplicate).toBe(true);
    expect((await empty.operator.jetStream.publish('ingest.workers', '{}')).seq).toBe(301);
    await expect(empty.operator.manager.streams.deleteMessage('INGEST', 1)).rejects.toThrow();
  });

  it('taken again writes nothing, and after more was said only that', async () => {
    const first = await take(store, 'again');
    const second = await take(store, 'again');
    expect({ written: second.written, unchanged: second.streams.every(({ unchanged }) => unchanged) }).toEqual({
      written: 0,
      unchanged: true,
    });
    const filler = { connection: log.operator.jetStream, body: Buffer.alloc(700_000, 'x') };
    for (let n = 0; n < 6; n++)
      await filler.connection.publish('evidence.filler', Buffer.concat([filler.body, Buffer.from(String(n))]));
    const third = await take(store, 'again');
    for (let n = 6; n < 8; n++)
      await filler.connection.publish('evidence.filler', Buffer.concat([filler.body, Buffer.from(String(n))]));
    const fourth = await take(store, 'again');
    expect(third.streams.filter(({ unchanged }) => !unchanged).map(({ stream }) => stream)).toEqual(['EVIDENCE']);
    expect(fourth.known).toBeGreaterThanOrEqual(3);
    expect(fourth.written).toBeLessThan(third.written);
    // An older one can be restored by its time.
    await using empty = await emptyServer();
    const restored = await empty.restore(store, 'again', first.created_at);
    expect(restored.streams.find(({ stream }) => stream === 'EVIDENCE')?.messages).toBe(0);
  });

  it('keeps as many as it is told, and lets chunks go that nobody has', async () => {
    const keys = backupKeys('kept');
    for (let round = 0; round < 3; round++) {
      await say(5, 1_000 + round * 5);
      await take(store, 'kept', 2);
    }
    expect(await store.list(keys.manifests)).toHaveLength(2);
    await using empty = await emptyServer();
    const oldest = (await store.list(keys.manifests))[0]?.key ?? '';
    expect((await empty.restore(store, 'kept')).manifest > oldest).toBe(true);
    const before = (await store.list(keys.chunks)).length;
    await say(5, 1_100);
    await take(store, 'kept', 1);
    expect((await store.list(keys.chunks)).length).toBeLessThan(before);
  });

  it('that breaks off is taken up where it was', async () => {
    let writes = 0;
    const failing = withObjectFaults(store, (operation) =>
      operation === 'put' && ++writes > 12 ? 'unavailable' : undefined,
    );
    await expect(take(failing, 'resumed')).rejects.toThrow('injected');
    const done = (await store.list(backupKeys('resumed').unfinished)).length;
    expect(done).toBeGreaterThan(0);
    const report = await take(store, 'resumed');
    expect(report.streams.filter(({ unchanged }) => unchanged).length).toBeGreaterThanOrEqual(done);
    expect(await store.list(backupKeys('resumed').unfinished)).toEqual([]);
    await using empty = await emptyServer();
    await empty.restore(store, 'resumed');
    expect(await contentOf(empty.operator, 'INGEST')).toEqual(await contentOf(log.operator, 'INGEST'));
  });

  it('that is damaged is refused, and restored from where it was when that is mended', async () => {
    await take(store, 'damaged');
    const keys = backupKeys('damaged');
    await using empty = await emptyServer();
    const chunks = await store.list(keys.chunks);
    const largest = chunks.reduce((one, other) => (other.bytes > one.bytes ? other : one));
    const truncated = withObjectFaults(store, (operation, key) =>
      operation === 'get' && key === largest.key ? 'truncated' : undefined,
    );
    await expect(empty.restore(truncated, 'damaged')).rejects.toThrow(BackupError);
    const gone = withObjectFaults(store, (operation, key) =>
      operation === 'get' && key === largest.key ? 'deleted' : undefined,
    );
    await expect(empty.restore(gone, 'damaged')).rejects.toThrow('is not there');
    const restored = await empty.restore(store, 'damaged');
    expect(restored.streams.some(({ already }) => already)).toBe(true);
    expect(await contentOf(empty.operator, 'DOCUMENTS')).toEqual(await contentOf(log.operator, 'DOCUMENTS'));
  });

  it('goes into no server that has streams, and says what to do', async () => {
    await take(store, 'refused');
    await using empty = await emptyServer();
    await provisionStreams(empty.operator, testTopology);
    await expect(empty.restore(store, 'refused')).rejects.toThrow(/already.*nothing was changed.*empty server/s);
    await expect(empty.restore(store, 'nobody')).rejects.toThrow('no backup of the name "nobody"');
  });

  it('is for the operator alone', async () => {
    for (const role of ['gateway', 'index', 'embed'] as const) {
      const connection = await log.connectAs(role);
      const backup = takeBackup({ connection, store, name: 'stolen', keep: 1, onProgress: () => undefined });
      await expect(backup).rejects.toThrow(/permission/i);
    }
  });
});
