import { readdir } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { createServiceClient } from '../../streams/service-client.ts';
import { runTask } from '../rebuild/run-task.ts';
import { untilServed } from '../rebuild/served.ts';
import { createHistory } from '../testing/history.ts';
import { startTestStack } from '../testing/stack.ts';
import { environmentOf } from '../testing/worker-process.ts';
import { closeTestBucket, environmentOfBucket, openTestBucket } from './testing.ts';

const documents = 400;
const dimension = 32;
const space = `mine@${dimension}`;
const kept = 2;
const snapshotDeadlineMs = 60_000;
const withoutSnapshots: string[] = [];

it('the index worker writes snapshots into the bucket, keeps the newest, and boots from one', async () => {
  const { store, settings } = await openTestBucket();
  const s3 = environmentOfBucket(settings);
  await using stack = await startTestStack({
    workers: ['ingest', 'embed', 'index', 'playbook'],
    environment: { ...s3, LAKEHOUSE_SNAPSHOTS_KEPT: String(kept) },
  });
  const { client, operator } = stack;
  const services = createServiceClient(operator);
  const history = createHistory({ seed: 3, documents, dimension, space });
  await client.ingest('workers', history.first(), { waitSearchable: true });
  for (let round = 0; round < 4; round++) {
    await client.ingest('workers', history.changes(20), { waitSearchable: true });
    const reply = await services.request('svc.index.snapshot', Buffer.from('{}'), { deadlineMs: snapshotDeadlineMs });
    expect(reply.status).toBe(200);
  }
  const manifests = async () => (await store.list('snapshots/')).filter(({ key }) => key.endsWith('/manifest.json'));
  expect(await manifests()).toHaveLength(kept);
  expect(await readdir(stack.configuration.dataDirectory).catch(() => withoutSnapshots)).not.toContain('snapshots');

  const digests = async () => (await client.indexDigest()).indexes.map(({ corpus, digest }) => ({ corpus, digest }));
  const before = await digests();
  await stack.stop('index');
  await stack.start('index');
  expect(await digests()).toEqual(before);
  const info = await client.indexInfo();
  expect(info.snapshot?.key).toBe((await manifests()).at(-1)?.key);

  // A rebuild leaves its index in the bucket, and the index worker takes it from there.
  const task = {
    task: 'rebuild',
    corpus: 'workers',
    kind: 'documents',
    compare: true,
    force: false,
    side: null,
  } as const;
  const environment = { ...process.env, ...environmentOf(stack, 'operator'), ...s3 };
  const result = await runTask(task, environment, () => undefined);
  if (result.say !== 'rebuilt') throw new Error(`told "${result.say}"`);
  expect(result.runs.map(({ equal, outcome }) => ({ equal, outcome }))).toEqual(
    result.runs.map(() => ({ equal: true, outcome: 'switched' })),
  );
  for (const run of result.runs) await untilServed(client, run);
  expect((await store.list('rebuilds/')).length).toBeGreaterThan(0);
  expect(await digests()).toEqual(before);
  services.close();
  await stack.stop('index');
  await closeTestBucket(store);
});
