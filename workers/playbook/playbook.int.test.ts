import { describe, expect, it } from 'vitest';
import { decodeEvent } from '../../schemas/decode.ts';
import { positionHeader } from '../../schemas/position.ts';
import { ProblemError } from '../../schemas/problems.ts';
import { embedRequestSchema } from '../../schemas/requests/embed.ts';
import { parseRequestBytes } from '../../schemas/requests/parse.ts';
import { decodeVector, encodeVector } from '../../schemas/vector.ts';
import { nextMessageId } from '../../streams/append.ts';
import { type ServiceHandler, startService } from '../../streams/service.ts';
import { createServiceClient, type ServiceReply } from '../../streams/service-client.ts';
import { startTestLog, type TestLog } from '../../streams/testing/test-log.ts';
import { createEmbedQueries } from '../query-vectors/embed-query.ts';
import { playbookEndpoints } from './service.ts';

const deadlineMs = 10_000;
const corpus = 'playbook_memory';
const forklift = {
  query_text: 'Need 3 Forklift Operators in Aurora IL for Parallel Machining',
  answer_id: 'w-43',
  answer_corpus: 'workers',
  score: 1,
  role: 'Forklift Operator',
};

/** Length and first character of a text: enough to tell whose vector it is. */
const fakeVector = (text: string) => Float32Array.of(text.length, text.charCodeAt(0));

const embedVectors: ServiceHandler = ({ body }) => {
  const { texts, kind } = parseRequestBytes(embedRequestSchema, body);
  if (kind !== 'query') throw new ProblemError('bad_request', 'a playbook is found by queries');
  const vectors = texts.map((text) => encodeVector(fakeVector(text)));
  return { body: JSON.stringify({ space: 'fake@2', vectors, truncated: texts.map(() => false) }) };
};

const service = { version: '1.0.0', description: 'test', requestsWaitingMax: 100 };

async function startEmbedStub(test: TestLog, handler: ServiceHandler = embedVectors) {
  const connection = await test.connectAs('embed');
  const endpoints = { 'svc.embed.vectors': handler };
  return startService({ ...service, name: 'embed', connection, log: test.log, endpoints });
}

async function startPlaybooks(test: TestLog) {
  const connection = await test.connectAs('playbook');
  const embedQueries = createEmbedQueries(createServiceClient(connection));
  const endpoints = playbookEndpoints({ connection, embedQueries, nextId: nextMessageId });
  await startService({ ...service, name: 'playbooks', connection, log: test.log, endpoints });
  const client = createServiceClient(await test.connectAs('gateway'));
  return async (name: string, body: unknown) => {
    const reply = await client.request(`svc.playbooks.${name}`, Buffer.from(JSON.stringify(body)), { deadlineMs });
    return { ...reply, json: JSON.parse(Buffer.from(reply.body).toString('utf8')) as Record<string, unknown> };
  };
}

async function playbooks(test: TestLog) {
  return (await test.readAll('PLAYBOOKS')).map(({ payload, subject }) => {
    const decoded = decodeEvent('PLAYBOOKS', payload);
    if (!decoded.ok) throw new Error(decoded.message);
    return { subject, ...decoded.event };
  });
}

const position = (reply: ServiceReply) => reply.headers[positionHeader];

describe('the playbook worker', () => {
  it('records what was chosen, under its own id, with the vector of its query, and tells the position', async () => {
    await using test = await startTestLog();
    await startEmbedStub(test);
    const ask = await startPlaybooks(test);
    const first = await ask('record', forklift);
    expect([first.status, first.json]).toEqual([200, { playbook_id: 'pb-1126c52bd106df6b' }]);
    expect(position(first)).toBe('PLAYBOOKS=1');
    const again = await ask('record', { ...forklift, score: 0.5, corpus });
    expect([again.json, position(again)]).toEqual([{ playbook_id: 'pb-1126c52bd106df6b' }, 'PLAYBOOKS=2']);

    const [stored, second, ...others] = await playbooks(test);
    expect(others).toEqual([]);
    expect(second?.subject).toBe(stored?.subject);
    expect(stored).toMatchObject({
      type: 'lakehouse.playbook',
      data: { playbook_id: 'pb-1126c52bd106df6b', corpus, space: 'fake@2', entry: forklift },
    });
    const vector = stored?.type === 'lakehouse.playbook' ? decodeVector(stored.data.vector) : undefined;
    expect(vector).toEqual(fakeVector(forklift.query_text));
  });

  it('records the good ones of a bulk and tells the others, in the order in which they came', async () => {
    await using test = await startTestLog();
    await startEmbedStub(test);
    const ask = await startPlaybooks(test);
    const entries = [forklift, { ...forklift, query_text: '' }, { ...forklift, answer_id: 'w-44' }];
    const reply = await ask('bulk', { entries });
    expect(reply.status).toBe(200);
    expect(reply.json).toMatchObject({ recorded: 2, failed: 1 });
    expect(reply.json.results).toMatchObject([
      { index: 0, playbook_id: 'pb-1126c52bd106df6b' },
      { index: 1, error: expect.stringContaining('query_text') },
      { index: 2, playbook_id: expect.stringMatching(/^pb-[0-9a-f]{16}$/) },
    ]);
    expect(position(reply)).toBe('PLAYBOOKS=2');
    const answers = (await playbooks(test)).map(({ data }) => ('entry' in data ? data.entry.answer_id : ''));
    expect(answers.sort()).toEqual(['w-43', 'w-44']);

    const nothing = await ask('bulk', { entries: [{ ...forklift, query_text: ' ' }] });
    expect([nothing.json.recorded, nothing.json.failed, position(nothing)]).toEqual([0, 1, undefined]);
    expect(await playbooks(test)).toHaveLength(2);
  });

  it('keeps more entries than one request to the embedder takes in order', async () => {
    await using test = await startTestLog();
    await startEmbedStub(test);
    const ask = await startPlaybooks(test);
    const entries = Array.from({ length: 150 }, (_, at) => ({ ...forklift, query_text: 'x'.repeat(at + 1) }));
    const reply = await ask('bulk', { entries });
    expect([reply.json.recorded, reply.json.failed]).toEqual([150, 0]);
    for (const { data } of await playbooks(test)) {
      if (!('entry' in data)) throw new Error('not a recording');
      expect(decodeVector(data.vector)).toEqual(fakeVector(data.entry.query_text));
    }
  });

  it('retracts what was recorded, and says 404 of what never was', async () => {
    await using test = await startTestLog();
    await startEmbedStub(test);
    const ask = await startPlaybooks(test);
    const playbook_id = 'pb-1126c52bd106df6b';
    const unknown = await ask('retract', { playbook_id });
    expect([unknown.status, unknown.json.code, position(unknown)]).toEqual([404, 'not_found', undefined]);
    expect(await playbooks(test)).toEqual([]);

    await ask('record', forklift);
    const retracted = await ask('retract', { playbook_id, reason: 'left the company' });
    expect([retracted.status, retracted.json]).toEqual([200, { playbook_id, retracted: true }]);
    expect(position(retracted)).toBe('PLAYBOOKS=2');
    const [recorded, retraction] = await playbooks(test);
    expect(retraction?.subject).toBe(recorded?.subject);
    expect(retraction).toMatchObject({
      type: 'lakehouse.playbook-retracted',
      data: { playbook_id, corpus, reason: 'left the company' },
    });
    const elsewhere = await ask('retract', { playbook_id, corpus: 'other' });
    expect(elsewhere.status).toBe(404);
  });

  it('refuses what is malformed with the field, and records nothing', async () => {
    await using test = await startTestLog();
    await startEmbedStub(test);
    const ask = await startPlaybooks(test);
    const slip = await ask('record', { ...forklift, query_text: undefined, query: 'x' });
    expect([slip.status, slip.json.field]).toEqual([400, 'query_text']);
    const score = await ask('record', { ...forklift, score: 2 });
    expect([score.status, score.json.field]).toEqual([400, 'score']);
    expect(await playbooks(test)).toEqual([]);
  });

  it('says 503 while nobody embeds, passes on what the embedder says, and records nothing then', async () => {
    await using test = await startTestLog();
    const ask = await startPlaybooks(test);
    const away = await ask('record', forklift);
    expect([away.status, away.json.code]).toEqual([503, 'unavailable']);
    const bulk = await ask('bulk', { entries: [forklift] });
    expect([bulk.json.recorded, bulk.json.failed]).toEqual([0, 1]);

    const failing = await startEmbedStub(test, () => {
      throw new ProblemError('upstream_failed', 'the model is broken');
    });
    const failed = await ask('record', forklift);
    expect([failed.status, failed.json.code]).toEqual([502, 'upstream_failed']);
    expect(failed.json.detail).toContain('the model is broken');
    expect(await playbooks(test)).toEqual([]);

    // The control: with an embedder the same request is recorded.
    await failing.stop();
    await startEmbedStub(test);
    expect((await ask('record', forklift)).status).toBe(200);
    expect(await playbooks(test)).toHaveLength(1);
  });
});
