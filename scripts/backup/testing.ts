import { cp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { readConfiguration } from '../../schemas/configuration.ts';
import { appendLine } from '../../streams/append.ts';
import { restoreBackup } from '../../streams/backup/restore-backup.ts';
import { takeBackup } from '../../streams/backup/take-backup.ts';
import type { ObjectStore } from '../../streams/object-store.ts';
import { createServiceClient } from '../../streams/service-client.ts';
import { readStreamState } from '../../streams/stream-reader.ts';
import { eventually } from '../../streams/testing/eventually.ts';
import { runTask } from '../rebuild/run-task.ts';
import { createHistory } from '../testing/history.ts';
import { startTestStack, type TestStack } from '../testing/stack.ts';
import { environmentOf } from '../testing/worker-process.ts';

const documents = 300;
const dimension = 16;
const space = `mine@${dimension}`;
const settleDeadlineMs = 60_000;
const requestDeadlineMs = 60_000;
const lineFiles = ['audit_baselines.jsonl', 'replay_runs.jsonl'];
/** Bytes that a program which parses and prints again would change. */
const lines = ['{"b":1.0,  "a":"\\u00e9<>&"}', '{"line_offset":0,"at":"2026-11-21T00:00:00.120000000Z"}', '{"é":"漢"}'];

const digestsOf = async ({ client }: TestStack, corpus: string) =>
  (await client.indexDigest(corpus)).indexes.map(({ kind, space: of, digest }) => ({ kind, space: of, digest }));

async function verified(stack: TestStack): Promise<unknown> {
  const environment = { ...process.env, ...environmentOf(stack, 'operator') };
  const result = await runTask({ task: 'verify', settleDeadlineMs }, environment, () => undefined);
  if (result.say !== 'verified') throw new Error(`told "${result.say}"`);
  const { equal, ingest } = result.report;
  return { equal, differing: ingest.differing, differences: ingest.differences };
}

async function linesOf(stack: TestStack): Promise<string[]> {
  const read = lineFiles.map((file) => readFile(join(stack.configuration.dataDirectory, '_kb', file)));
  return (await Promise.all(read)).map((bytes) => bytes.toString('base64'));
}

async function takeSnapshot(stack: TestStack): Promise<void> {
  const services = createServiceClient(stack.operator);
  const reply = await services.request('svc.index.snapshot', Buffer.from('{}'), { deadlineMs: requestDeadlineMs });
  expect(reply.status).toBe(200);
  services.close();
}

export interface SystemBackupOptions {
  readonly store: ObjectStore;
  /** Where snapshots of the index worker lie; both systems have the same. */
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * Backs a living system up and restores it into an empty server: the same state digests, both oracles of `verify`, the
 * same lines to the byte, sequences that go on; and a snapshot of what the first one did later is not taken for its own.
 */
export async function proveSystemBackup({ store, environment }: SystemBackupOptions): Promise<void> {
  await using first = await startTestStack({ environment });
  const history = createHistory({ seed: 11, documents, dimension, space });
  const wait = { waitSearchable: true };
  await first.client.ingest('workers', history.first(), wait);
  await first.client.ingest('workers', history.changes(150), wait);
  const poison = await first.server.connectAs('producer');
  poison.publish('ingest.workers', '{"id":"bad","vector":[1,');
  await poison.flush();
  await first.client.record({ query_text: 'two welders', answer_id: 'w-1', answer_corpus: 'workers', score: 1 });
  for (const [place, line] of lines.entries())
    for (const name of ['lakehouse.audit-baseline', 'lakehouse.replay-run'] as const)
      await appendLine(first.operator, name, Buffer.from(line), `${name}-${place}`);
  const complete = (count: number) => async () =>
    (await linesOf(first).catch(() => [])).every(
      (text) => Buffer.from(text, 'base64').toString().split('\n').length === count + 1,
    );
  await eventually('every line is written', complete(lines.length));

  // Somebody goes on saying things while the backup is taken.
  let said = 0;
  let busy = true;
  const talk = (async () => {
    const other = createHistory({ seed: 12, documents: 50, dimension, space });
    for (; busy; said++) await first.client.ingest('others', other.changes(5));
  })();
  const backup = { store, name: 'system' };
  const report = await takeBackup({ connection: first.operator, ...backup, keep: 3, onProgress: () => undefined });
  busy = false;
  await talk;
  expect(said).toBeGreaterThan(0);
  const lastSaid = report.streams.find(({ stream }) => stream === 'INGEST')?.last_sequence ?? 0;
  const before = { workers: await digestsOf(first, 'workers'), playbooks: await digestsOf(first, 'playbook_memory') };
  const linesBefore = await linesOf(first);

  // The life that is lost goes on after the backup, and leaves a snapshot behind.
  await first.client.ingest('workers', history.changes(40), wait);
  await takeSnapshot(first);
  const later = (await first.client.indexInfo()).snapshot?.key;

  await using second = await startTestStack({
    environment,
    prepare: async (operator) => {
      const restore = { connection: operator, ...backup, at: undefined, replicas: 1, onProgress: () => undefined };
      await restoreBackup(restore);
    },
  });
  expect(await verified(second)).toEqual({ equal: true, differing: 0, differences: [] });
  expect({
    workers: await digestsOf(second, 'workers'),
    playbooks: await digestsOf(second, 'playbook_memory'),
  }).toEqual(before);
  await eventually('the lines are written again', async () => {
    const now = await linesOf(second).catch(() => []);
    return JSON.stringify(now) === JSON.stringify(linesBefore);
  });

  // Sequences go on, so that what is said now outranks what was said before.
  const changed = await second.client.ingest('workers', history.changes(5), wait);
  expect(changed.first_seq).toBeGreaterThan(lastSaid);

  // The index worker boots into a log that has come further than the snapshot of the other life, which it is not of.
  await second.stop('index');
  await copySnapshots(first, second, environment);
  const otherEnd = (await readStreamState(first.operator, 'VECTORS')).lastSequence;
  const here = async () => (await readStreamState(second.operator, 'VECTORS')).lastSequence;
  await second.client.ingest('workers', history.changes(5 + otherEnd - (await here())));
  await eventually('more is embedded than the other life had', async () => (await here()) > otherEnd);
  await second.start('index');
  expect(await verified(second)).toEqual({ equal: true, differing: 0, differences: [] });
  expect((await second.client.indexInfo()).snapshot?.key).not.toBe(later);
}

/** In a bucket they are there already. */
async function copySnapshots(from: TestStack, to: TestStack, environment: Readonly<Record<string, string>>) {
  if (readConfiguration(environment).objectStore.kind !== 'local') return;
  const folder = ({ configuration }: TestStack) => join(configuration.dataDirectory, 'snapshots');
  await cp(folder(from), folder(to), { recursive: true });
}
