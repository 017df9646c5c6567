import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { eventually } from '../../streams/testing/eventually.ts';
import { untilServing } from '../commands/reembed.ts';
import { startTestStack, type TestStack } from '../testing/stack.ts';
import { environmentOf } from '../testing/worker-process.ts';
import { runTask } from './run-task.ts';

const oldSpace = 'all-minilm-l6-v2@384';
const newSpace = 'letters@26';
const corpus = 'workers';
const roles = [
  'Forklift operator',
  'Welder',
  'Nurse',
  'Line cook',
  'Electrician',
  'Truck driver',
  'Accountant',
  'Painter',
];
const query = 'somebody who drives a forklift';

/** A model of letters: how often each occurs. */
async function startLetters() {
  const requestSchema = z.object({ model: z.literal('letters'), input: z.array(z.string()) });
  const lettersOf = (text: string) =>
    Array.from({ length: 26 }, (_, place) => 1 + 5 * text.toLowerCase().split(String.fromCharCode(97 + place)).length);
  const server = createServer(async (request, response) => {
    const { model, input } = requestSchema.parse(await json(request));
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ model, embeddings: input.map(lettersOf) }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    host: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

type Environment = Readonly<Record<string, string>>;

async function reembed(stack: TestStack, environment: Environment, model: string, dropOld = false) {
  const task = { task: 'reembed', corpus, model, force: false, dropOld } as const;
  const operator = { ...process.env, ...environmentOf(stack, 'operator'), ...environment };
  const result = await runTask(task, operator, () => undefined);
  if (result.say !== 'reembedded') throw new Error(`told "${result.say}"`);
  await untilServing(stack.client, result.run);
  return result.run;
}

async function verify(stack: TestStack, environment: Environment) {
  const operator = { ...process.env, ...environmentOf(stack, 'operator'), ...environment };
  const result = await runTask({ task: 'verify', settleDeadlineMs: 30_000 }, operator, () => undefined);
  if (result.say !== 'verified') throw new Error(`told "${result.say}"`);
  return result.report;
}

const spacesOf = async ({ client }: TestStack) =>
  (await client.corpora()).corpora
    .filter(({ playbooks }) => !playbooks)
    .map(({ space, documents, serving }) => [space, documents, serving]);

describe('a corpus that is embedded with another model', () => {
  it('answers there with its playbooks, keeps the old until it is dropped, and can go back', async () => {
    await using letters = await startLetters();
    const environment = { LAKEHOUSE_EMBED_MODELS: 'letters@26', OLLAMA_HOST: letters.host };
    await using stack = await startTestStack({ environment, workers: ['ingest', 'embed', 'index', 'playbook'] });
    const { client } = stack;
    const ask = (text: string) =>
      client.search({ query_text: text, corpora: [corpus], k: 10, use_playbook: true, explain: true });
    const wait = { waitSearchable: true };
    await client.ingest(
      corpus,
      roles.map((text, place) => ({ id: `w-${place}`, text, metadata: { place } })),
      wait,
    );
    await client.ingest(corpus, [{ id: 'w-7', deleted: true }], wait);
    const { playbook_id: retracted } = await client.record({
      query_text: 'x',
      answer_id: 'w-1',
      answer_corpus: corpus,
      score: 1,
    });
    await client.retract({ playbook_id: retracted });
    await client.record({ query_text: query, answer_id: 'w-0', answer_corpus: corpus, score: 1 });
    expect((await ask(query)).boosted).toBe(1);
    await eventually('the search is logged', async () => {
      const { state } = await stack.operator.manager.streams.info('SEARCHES');
      return state.messages > 0;
    });

    const run = await reembed(stack, environment, 'letters');
    expect(run).toMatchObject({
      from_space: oldSpace,
      space: newSpace,
      documents: 7,
      missing: 0,
      playbooks: 1,
      queries: 1,
      overlap_at_10: 1,
      neighbours_at_10: 1,
      sampled: 7,
      outcome: 'switched',
    });
    expect(await spacesOf(stack)).toEqual([
      [oldSpace, 7, false],
      [newSpace, 7, true],
    ]);
    const answered = await ask(query);
    expect([answered.boosted, answered.results[0]?.id]).toEqual([1, 'w-0']);
    const rows = await stack.operator.manager.streams.getMessage('REPLAY_RUNS', { last_by_subj: 'replay.runs' });
    expect(JSON.parse(Buffer.from(rows.data).toString('utf8'))).toEqual(run);

    // What comes later goes into both, and playbooks are recorded where the corpus answers.
    await client.ingest(
      corpus,
      [
        { id: 'w-8', text: 'Zookeeper' },
        { id: 'w-1', deleted: true },
      ],
      wait,
    );
    await client.record({ query_text: 'zebras', answer_id: 'w-8', answer_corpus: corpus, score: 1 });
    // Letters tell texts apart so badly that both recordings are near.
    expect((await ask('zebras')).boosted).toBe(2);
    expect((await verify(stack, environment)).equal).toBe(true);
    expect(await spacesOf(stack)).toEqual([
      [oldSpace, 7, false],
      [newSpace, 7, true],
    ]);

    const listed = await client.documents(corpus);
    expect(listed.documents.map(({ space }) => space)).toEqual(Array(7).fill(newSpace));
    expect((await client.playbooks('playbook_memory')).playbooks).toHaveLength(2);

    // A worker that comes up later, from a snapshot, knows the switch.
    await stack.stop('index');
    await stack.start('index');
    expect(await spacesOf(stack)).toEqual([
      [oldSpace, 7, false],
      [newSpace, 7, true],
    ]);
    expect((await ask('zebras')).boosted).toBe(2);

    const operator = { ...process.env, ...environmentOf(stack, 'operator'), ...environment };
    const drop = (space: string) => runTask({ task: 'drop-space', corpus, space }, operator, () => undefined);
    await expect(drop(newSpace)).rejects.toThrow('re-embed it into another space');
    await drop(oldSpace);
    await eventually('the old space has gone', async () => (await spacesOf(stack)).length === 1);
    await client.ingest(corpus, [{ id: 'w-9', text: 'Yoga teacher' }], wait);
    const dropped = await verify(stack, environment);
    expect([
      dropped.equal,
      dropped.digests.filter(({ kind }) => kind === 'documents').map(({ space }) => space),
    ]).toEqual([true, [newSpace]]);

    // Back again: what the log holds of the old space from before counts once more.
    const back = await reembed(stack, environment, 'all-minilm-l6-v2', true);
    expect(back).toMatchObject({ space: oldSpace, documents: 8, missing: 0, dropped: [newSpace], outcome: 'switched' });
    expect((await ask('zebras')).boosted).toBe(1);
    expect((await verify(stack, environment)).equal).toBe(true);
    await eventually('the new space has gone', async () => (await spacesOf(stack)).length === 1);
    expect(await spacesOf(stack)).toEqual([[oldSpace, 8, true]]);
  });
});
