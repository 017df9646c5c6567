import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestStack, type TestStack } from '../../../scripts/testing/stack.ts';
import { appendBytes } from '../../../streams/append.ts';
import { eventually } from '../../../streams/testing/eventually.ts';

const space = 'mine@2';
const wait = { waitSearchable: true };
let stack: TestStack;

beforeAll(async () => {
  stack = await startTestStack({ workers: ['ingest', 'embed', 'index', 'playbook'] });
});
afterAll(() => stack[Symbol.asyncDispose]());

describe('looking a document up', () => {
  it('tells its registers, where it is in the pipeline, and a tombstone', async () => {
    const { client } = stack;
    const id = 'line/lead ä 1';
    const said = await client.ingest('people', [{ id, vector: [1, 0], space, metadata: { city: 'Aurora' } }], wait);
    const first = await client.document('people', id);
    expect(first).toMatchObject({
      corpus: 'people',
      id,
      state: 'alive',
      stage: 'searchable',
      version: said.last_seq,
      content: { version: said.last_seq, space, text: null, truncated: false },
      metadata: { version: said.last_seq, value: { city: 'Aurora' } },
      rejected: null,
    });
    const cleared = await client.ingest('people', [{ id, metadata: {} }], wait);
    expect(await client.document('people', id, { version: cleared.last_seq })).toMatchObject({
      version: cleared.last_seq,
      content: first.content,
      metadata: { version: cleared.last_seq, value: {} },
    });
    const deleted = await client.ingest('people', [{ id, deleted: true }], wait);
    expect(await client.document('people', id)).toMatchObject({
      state: 'deleted',
      stage: 'searchable',
      content: { version: deleted.last_seq, hash: null, space: null },
    });
  });

  it('tells why it was rejected, by its id and by the sequence of its event', async () => {
    const { client, operator } = stack;
    const say = async (said: unknown) =>
      (
        await appendBytes(operator, 'ingest.people', Buffer.from(JSON.stringify(said)), {
          messageId: `${Math.random()}`,
        })
      ).sequence;
    const refused = await say({ id: 'bad', vector: [1, 2, 3], space });
    const rejected = { version: refused, reason: 'invalid_vector', message: expect.stringContaining('3 values') };
    await eventually('the rejection is known', () =>
      client.document('people', 'bad').then(
        () => true,
        () => false,
      ),
    );
    const unknown = { state: 'unknown', stage: 'rejected', version: 0, rejected };
    expect(await client.document('people', 'bad')).toMatchObject(unknown);
    expect(await client.document('people', 'bad', { version: refused })).toMatchObject(unknown);
    // A good one later: the state stands, and the rejection is of the past.
    const good = await client.ingest('people', [{ id: 'bad', vector: [1, 0], space }], wait);
    expect(await client.document('people', 'bad')).toMatchObject({ version: good.last_seq, rejected: null });
  });

  it('tells that an event is accepted while nobody has read it, and that its document has a text without a vector', async () => {
    const { client } = stack;
    await stack.stop('ingest');
    const { last_seq: version } = await client.ingest('people', [{ id: 'late', text: 'Reach truck driver' }]);
    expect(await client.document('people', 'late', { version })).toMatchObject({ state: 'unknown', stage: 'accepted' });
    await expect(client.document('people', 'other', { version })).rejects.toMatchObject({ problem: { status: 404 } });
    await stack.stop('embed');
    await stack.start('ingest');
    await eventually('it is ingested', () =>
      client.document('people', 'late').then(
        ({ stage }) => stage === 'ingested',
        () => false,
      ),
    );
    expect(await client.document('people', 'late')).toMatchObject({
      state: 'alive',
      version,
      content: { text: 'Reach truck driver', truncated: null },
    });
    await stack.start('embed');
    await eventually('it is searchable', async () => (await client.document('people', 'late')).stage === 'searchable');
  });

  it('says 404 of what was never heard of', async () => {
    await expect(stack.client.document('people', 'nobody')).rejects.toMatchObject({ problem: { code: 'not_found' } });
    await expect(stack.client.documents('nowhere')).rejects.toMatchObject({ problem: { status: 404 } });
    await expect(stack.client.document('Not One', 'a')).rejects.toMatchObject({ problem: { status: 400 } });
  });
});

describe('listing documents', () => {
  it('tells the living ones a page at a time, in the order of their ids', async () => {
    const { client } = stack;
    const ids = Array.from({ length: 25 }, (_, at) => `d-${String(at).padStart(2, '0')}`);
    await client.ingest(
      'listed',
      [...ids].reverse().map((id) => ({ id, vector: [1, 0], space })),
    );
    await client.ingest('listed', [{ id: 'd-07', deleted: true }], wait);
    const pages: string[][] = [];
    for (let cursor: string | null | undefined; cursor !== null; ) {
      const page = await client.documents('listed', { limit: 10, ...(cursor === undefined ? {} : { cursor }) });
      pages.push(page.documents.map(({ id }) => id));
      cursor = page.next_cursor;
    }
    expect(pages.map((page) => page.length)).toEqual([10, 10, 4]);
    expect(pages.flat()).toEqual(ids.filter((id) => id !== 'd-07'));
    await expect(client.documents('listed', { limit: 5_000 })).rejects.toMatchObject({ problem: { status: 400 } });
  });
});

describe('looking playbooks up', () => {
  it('tells what is remembered and how often it lifted an answer, and a retraction', async () => {
    const { client } = stack;
    await client.ingest(
      'staff',
      [
        { id: 's-1', text: 'Forklift operator' },
        { id: 's-2', text: 'Baker' },
      ],
      wait,
    );
    const query_text = 'somebody who drives a forklift';
    const entry = { query_text, answer_id: 's-1', answer_corpus: 'staff', score: 1 };
    const { playbook_id } = await client.record(entry);
    const far = await client.record({ ...entry, query_text: 'a cake for Sunday', answer_id: 's-2' });
    const search = { query_text, corpora: ['staff'], use_playbook: true };
    for (let time = 0; time < 2; time++) expect(await client.search(search)).toMatchObject({ boosted: 1 });
    // The cut to one leaves a place for the lifted answer alone; excluded, nothing is lifted.
    expect(await client.search({ ...search, exclude_ids: ['s-1'] })).toMatchObject({ boosted: 0, injected: 0 });
    await eventually('the searches are counted', async () => {
      const { lifted } = await client.playbook('playbook_memory', playbook_id);
      return lifted.boosted === 2;
    });
    const { playbooks, next_cursor, counted } = await client.playbooks('playbook_memory', { limit: 10 });
    expect(next_cursor).toBeNull();
    expect(counted).toEqual({ since: expect.stringMatching(/^20/), sample: 1 });
    const byId = new Map(playbooks.map((playbook) => [playbook.playbook_id, playbook]));
    expect(byId.get(playbook_id)).toMatchObject({ version: 1, entry, lifted: { boosted: 2, injected: 0 } });
    expect(byId.get(far.playbook_id)).toMatchObject({ version: 2, lifted: { boosted: 0, injected: 0 } });

    await client.retract({ playbook_id });
    expect(await client.playbook('playbook_memory', playbook_id)).toMatchObject({
      state: 'retracted',
      entry: null,
      version: 3,
      said_at: expect.stringMatching(/^20/),
    });
    expect((await client.playbooks('playbook_memory')).playbooks.map((one) => one.playbook_id)).toEqual([
      far.playbook_id,
    ]);
    await expect(client.playbook('playbook_memory', 'pb-0000000000000000')).rejects.toMatchObject({
      problem: { status: 404 },
    });
  });
});
