import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { below, createRandom } from '../random.ts';
import { needQueries } from '../staffing/demand.ts';
import { createHistory } from '../testing/history.ts';
import { startTestStack, type TestStack } from '../testing/stack.ts';
import { environmentOf, startWorkerProcess, type TestProcess } from '../testing/worker-process.ts';
import { runTask } from './run-task.ts';
import { untilServed } from './served.ts';

const seed = Number(process.env.LAKEHOUSE_SEED ?? Math.floor(Math.random() * 2 ** 31));
const documents = 5_000;
const playbooks = 500;
const kills = 20;
const changesPerRun = 150;
const batch = 500;
const space = 'all-minilm-l6-v2@384';

async function say(stack: TestStack, changes: Parameters<TestStack['client']['ingest']>[1]): Promise<void> {
  for (let at = 0; at < changes.length; at += batch)
    await stack.client.ingest('workers', changes.slice(at, at + batch));
}

async function recordPlaybooks(stack: TestStack): Promise<void> {
  const entries = needQueries({ count: playbooks, seed }).map(({ query_text, query_role }, index) => ({
    query_text,
    role: query_role,
    answer_id: `w-${index + 1}`,
    answer_corpus: 'workers',
    score: 1,
  }));
  const answer = await stack.client.recordMany({ entries });
  expect(answer).toMatchObject({ recorded: playbooks, failed: 0 });
}

async function verified(stack: TestStack) {
  const environment = { ...process.env, ...environmentOf(stack, 'operator') };
  const result = await runTask({ task: 'verify', settleDeadlineMs: 60_000 }, environment, () => undefined);
  if (result.say !== 'verified') throw new Error(`told "${result.say}"`);
  return result.report;
}

async function rebuilt(stack: TestStack, corpus: string, kind: 'documents' | 'playbooks') {
  const environment = { ...process.env, ...environmentOf(stack, 'operator') };
  const task = { task: 'rebuild', corpus, kind, compare: true, force: false, side: null } as const;
  const result = await runTask(task, environment, () => undefined);
  if (result.say !== 'rebuilt') throw new Error(`told "${result.say}"`);
  const [run] = result.runs;
  if (run === undefined) throw new Error('nothing was rebuilt');
  await untilServed(stack.client, run);
  return run;
}

const digestsOf = async (stack: TestStack) =>
  (await stack.client.indexDigest()).indexes.map(({ kind, corpus, digest, live }) => ({ kind, corpus, digest, live }));

describe(`an index that is thrown away and rebuilt (LAKEHOUSE_SEED=${seed})`, () => {
  it('has the digest of the one before: rebuilt, booted from a snapshot, and after twenty kills', async () => {
    await using stack = await startTestStack({ workers: ['ingest', 'embed', 'playbook', 'observer'] });
    let index: TestProcess = await startWorkerProcess(stack, 'index', { LAKEHOUSE_SNAPSHOT_INTERVAL_MS: '700' });
    try {
      await index.untilReady();
      const history = createHistory({ seed, documents, dimension: 384, space });
      await say(stack, history.first());
      await say(stack, history.changes(documents / 2));
      await recordPlaybooks(stack);

      // Without a fault: both oracles hold, and a rebuild is equal and finds what exact search finds.
      const control = await verified(stack);
      expect(control.ingest.differences).toEqual([]);
      expect(control).toMatchObject({ equal: true, ingest: { differing: 0, documents } });
      const before = await digestsOf(stack);
      const run = await rebuilt(stack, 'workers', 'documents');
      expect(run).toMatchObject({ outcome: 'switched', equal: true, switched: true });
      expect(run.recall_at_10).toBeGreaterThanOrEqual(0.99);
      expect(await rebuilt(stack, 'playbook_memory', 'playbooks')).toMatchObject({ outcome: 'switched', equal: true });
      expect(await digestsOf(stack)).toEqual(before);

      // Stopped in order it leaves a snapshot; what is said meanwhile is the tail.
      expect(await index.stop()).toBe(0);
      await say(stack, history.changes(changesPerRun));
      index = await startWorkerProcess(stack, 'index', { LAKEHOUSE_SNAPSHOT_INTERVAL_MS: '300' });
      await index.untilReady();
      expect((await stack.client.indexInfo()).snapshot).not.toBeNull();
      expect(await verified(stack)).toMatchObject({ equal: true });

      // Killed at random moments, while it folds, snapshots and answers.
      const random = createRandom(seed, 1);
      for (let kill = 0; kill < kills; kill++) {
        const saying = say(stack, history.changes(changesPerRun));
        await new Promise((resolve) => setTimeout(resolve, below(random, 400)));
        await index.kill9();
        await saying;
        index = await startWorkerProcess(stack, 'index', { LAKEHOUSE_SNAPSHOT_INTERVAL_MS: '300' });
        await index.untilReady();
        expect(await verified(stack), `after kill ${kill + 1}`).toMatchObject({ equal: true });
      }
      expect(await rebuilt(stack, 'workers', 'documents')).toMatchObject({ equal: true });

      // Every run is a row, and the file has what the stream has.
      const lines = (
        await readFile(join(stack.configuration.dataDirectory, '_kb', 'replay_runs.jsonl'), 'utf8')
      ).trimEnd();
      expect(lines.split('\n').map((line) => JSON.parse(line).schema)).toEqual(Array(3).fill('index_rebuild.v1'));
    } finally {
      await index[Symbol.asyncDispose]();
    }
  });
});
