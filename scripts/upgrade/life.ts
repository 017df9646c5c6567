import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { append, appendBytes, appendLine } from '../../streams/append.ts';
import { createServiceClient } from '../../streams/service-client.ts';
import { eventually } from '../../streams/testing/eventually.ts';
import { runTask } from '../rebuild/run-task.ts';
import { actOn } from '../rejected/act.ts';
import { selectionOf } from '../rejected/select.ts';
import { createVectorSource } from '../staffing/own-vectors.ts';
import { createHistory } from '../testing/history.ts';
import { startTestStack, type TestStack } from '../testing/stack.ts';
import { environmentOf } from '../testing/worker-process.ts';
import { lineFiles } from './golden.ts';

const seed = 20;
const documents = 30;
const dimension = 8;
const space = `own@${dimension}`;
const requestDeadlineMs = 60_000;
const wait = { waitSearchable: true };
/** Bytes that a program which parses and prints again would change. */
const lines = {
  'lakehouse.audit-baseline':
    '{"recorded_at":"2026-11-21T00:00:00.120000000Z",  "metrics":{"rows":1},"note":"\\u00e9"}',
  'lakehouse.replay-run': '{"schema":"of_another_runtime.v1","recorded_at":"2026-11-21T00:00:00Z","b":1.0,"é":"漢"}',
} as const;

/** A system that has lived a small life: each event of the catalogue was said at least once, and all of it is worked on. */
export async function liveSmallLife(dataDirectory: string): Promise<TestStack> {
  const stack = await startTestStack({ environment: { LAKEHOUSE_DATA_DIR: dataDirectory } });
  try {
    await sayDocuments(stack);
    await choose(stack);
    await setAside(stack);
    await sayLines(stack);
    await rebuild(stack);
    await takeSnapshot(stack);
    // A tail behind the snapshot.
    const tail = createHistory({ seed: seed + 1, documents, dimension, space });
    await stack.client.ingest('workers', tail.changes(5), wait);
    await untilWritten(stack);
    return stack;
  } catch (error) {
    await stack[Symbol.asyncDispose]();
    throw error;
  }
}

async function sayDocuments({ client, operator }: TestStack): Promise<void> {
  const history = createHistory({ seed, documents, dimension, space });
  await client.ingest('workers', history.first(), wait);
  await client.ingest('workers', history.changes(40), wait);
  // With a text, so that the embedded model has spoken; and in an envelope of somebody else's.
  await client.ingest('texts', [{ id: 't-1', text: 'Forklift operator', metadata: { shift: 'night' } }], wait);
  const envelope = { specversion: '1.0', id: 'x-1', source: 'urn:somebody', type: 'anything' };
  const item = { id: 't-2', text: 'Welder on the day shift' };
  await appendBytes(operator, 'ingest.texts', Buffer.from(JSON.stringify({ ...envelope, data: item })), {
    messageId: 'x-1',
  });
  const vectorOf = createVectorSource({ dimension, clusters: 4, seed });
  await client.vectors.create({ name: 'declared', dimension, distance: 'euclidean' });
  const items = [0, 1, 2].map((row) => ({ id: `v-${row}`, vector: [...vectorOf(row)], metadata: { row } }));
  await client.vectors.add('declared', { items });
  await client.vectors.create({ name: 'let-go', dimension });
  await client.vectors.add('let-go', { items });
  await client.vectors.delete('let-go');
}

async function choose({ client, operator }: TestStack): Promise<void> {
  const { playbook_id: retracted } = await client.record({
    query_text: 'a forklift driver',
    answer_id: 't-1',
    answer_corpus: 'texts',
    score: 1,
    role: 'operator',
    tags: ['night'],
  });
  await client.retract({ playbook_id: retracted, reason: 'somebody else was meant' });
  await client.record({ query_text: 'who welds?', answer_id: 't-2', answer_corpus: 'texts', score: 0.8 });
  await client.search({ query_text: 'somebody who welds', corpora: ['texts'], use_playbook: true });
  await eventually('the search is logged', async () => {
    const { state } = await operator.manager.streams.info('SEARCHES');
    return state.messages > 0;
  });
}

/** Two messages that can not be read: one is asked for again, and comes to nothing again; one is let go. */
async function setAside({ operator }: TestStack): Promise<void> {
  for (const [at, text] of ['{"id":"bad","vector":[1,', '{"id":"none"}'].entries())
    await appendBytes(operator, 'ingest.workers', Buffer.from(text), { messageId: `poison-${at}` });
  await eventually('both are set aside', async () => {
    const { state } = await operator.manager.streams.info('REJECTED');
    return state.messages >= 2;
  });
  const act = { connection: operator, limit: 10, waitMs: requestDeadlineMs, because: 'nobody can read it' } as const;
  await actOn({ ...act, action: 'retry', selection: selectionOf({ id: '1' }) });
  await actOn({ ...act, action: 'drop', selection: selectionOf({ id: '2' }) });
}

async function sayLines({ operator, client }: TestStack): Promise<void> {
  for (const [name, line] of Object.entries(lines))
    await appendLine(operator, name as keyof typeof lines, Buffer.from(line), `golden ${name}`);
  const row = Buffer.from('{"run_id":"r-1","source_file":"golden.jsonl","text":"a row of evidence"}');
  await appendBytes(operator, 'evidence.golden', row, { messageId: 'golden evidence' });
  await client.observe({ endpoint: 'golden', source: 'golden', success: true, duration_ms: 3 });
}

async function rebuild(stack: TestStack): Promise<void> {
  const environment = { ...process.env, ...environmentOf(stack, 'operator') };
  const task = {
    task: 'rebuild',
    corpus: 'workers',
    kind: 'documents',
    compare: true,
    force: false,
    side: null,
  } as const;
  const result = await runTask(task, environment, () => undefined);
  if (result.say !== 'rebuilt' || result.runs[0]?.outcome !== 'switched') throw new Error('the rebuild did not switch');
  // A space of a corpus that holds nothing there.
  const held = { corpus: 'elsewhere', space: 'never@4', state: 'dropped', run_id: 'golden' } as const;
  const about = { messageId: 'golden space', source: 'golden' };
  await append(stack.operator, 'lakehouse.corpus-space', { corpus: 'elsewhere' }, held, about);
}

async function takeSnapshot({ operator }: TestStack): Promise<void> {
  const services = createServiceClient(operator);
  const reply = await services.request('svc.index.snapshot', Buffer.from('{}'), { deadlineMs: requestDeadlineMs });
  services.close();
  if (reply.status !== 200) throw new Error(`no snapshot: ${Buffer.from(reply.body).toString('utf8')}`);
}

/** Until the files have a line for each message of their streams. */
async function untilWritten({ operator, configuration }: TestStack): Promise<void> {
  for (const { file, stream } of lineFiles)
    await eventually(`${file} has every line`, async () => {
      const { state } = await operator.manager.streams.info(stream);
      const text = await readFile(join(configuration.dataDirectory, '_kb', file), 'utf8').catch(() => '');
      return text.split('\n').length - 1 === state.last_seq;
    });
}
