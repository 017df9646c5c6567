import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { below, createRandom } from '../../../scripts/random.ts';
import { runTask } from '../../../scripts/rebuild/run-task.ts';
import { untilServed } from '../../../scripts/rebuild/served.ts';
import { startTestStack, type TestStack } from '../../../scripts/testing/stack.ts';
import { environmentOf } from '../../../scripts/testing/worker-process.ts';
import { append, appendBytes, readNewest } from '../../../streams/append.ts';
import { systemClock } from '../../../streams/clock.ts';
import { connectLog } from '../../../streams/connection.ts';
import { readStreamState } from '../../../streams/stream-reader.ts';
import { subjectOf } from '../../../streams/subjects.ts';

let stack: TestStack;
beforeAll(async () => {
  stack = await startTestStack({ workers: ['ingest', 'embed', 'index'] });
});
afterAll(() => stack[Symbol.asyncDispose]());

const problemOf = (work: Promise<unknown>) =>
  work.then(
    () => expect.unreachable('should have been refused'),
    (error: { problem?: Record<string, unknown> }) => error.problem,
  );
const vectors = () => stack.client.vectors;
const ingestEnd = async () => (await readStreamState(stack.operator, 'INGEST')).lastSequence;
const idsOf = async (name: string, vector = [1, 0]) =>
  (await vectors().search(name, { vector, k: 100 })).results.map(({ id }) => id).sort();

async function verified() {
  const environment = { ...process.env, ...environmentOf(stack, 'operator') };
  const result = await runTask({ task: 'verify', settleDeadlineMs: 60_000 }, environment, () => undefined);
  if (result.say !== 'verified') throw new Error(`told "${result.say}"`);
  return result.report;
}

describe('creating, telling and deleting an index', () => {
  it('creates with its parameters, once; lists in pages; and deletes with all that it holds', async () => {
    const created = await fetch(`${stack.url}/v1/vectors/index`, {
      method: 'POST',
      body: JSON.stringify({ name: 'shapes', dimension: 2, distance: 'euclidean', m: 8, ef_search: 50 }),
    });
    expect(created.status).toBe(201);
    const info = { name: 'shapes', dimension: 2, distance: 'euclidean', m: 8, ef_search: 50, count: 0, declared: true };
    expect(await created.json()).toMatchObject({ ...info, space: 'vectors@2' });
    expect(await problemOf(vectors().create({ name: 'shapes', dimension: 3 }))).toMatchObject({ status: 409 });
    await vectors().add('shapes', { items: [{ id: 'a', vector: [3, 4] }] });
    expect(await vectors().search('shapes', { vector: [0, 0] })).toEqual({ results: [{ id: 'a', distance: 5 }] });
    expect(await vectors().info('shapes')).toMatchObject({ ...info, count: 1 });

    expect(await vectors().delete('shapes')).toEqual({ name: 'shapes', deleted: true });
    expect(await problemOf(vectors().info('shapes'))).toMatchObject({ status: 404, code: 'not_found' });
    // Made again it is new: nothing older than the drop lives.
    await vectors().create({ name: 'shapes', dimension: 2 });
    expect(await vectors().info('shapes')).toMatchObject({ count: 0, distance: 'cosine', m: 16 });
    await vectors().add('shapes', { items: [{ id: 'b', vector: [1, 0] }] });
    expect(await idsOf('shapes')).toEqual(['b']);
    expect(await stack.client.document('shapes', 'a').catch(({ problem }) => problem.status)).toBe(404);
  });

  it('of many that create one name at once, one does', async () => {
    const all = await Promise.allSettled(
      Array.from({ length: 8 }, () => vectors().create({ name: 'contested', dimension: 2 })),
    );
    expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const one of all) if (one.status === 'rejected') expect(one.reason.problem.status).toBe(409);
  });

  it('reference 10.9: what is missing is a 404 with a stable code, for every path', async () => {
    for (const work of [
      vectors().info('missing'),
      vectors().delete('missing'),
      vectors().add('missing', { items: [{ id: 'a', vector: [1] }] }),
      vectors().search('missing', { vector: [1] }),
      vectors().merge('missing', { dest: 'shapes' }),
    ])
      expect(await problemOf(work)).toMatchObject({ status: 404, code: 'not_found' });
  });

  it('reference 10.15: lists are bounded, and a name that is no name is a 400', async () => {
    await vectors().create({ name: 'page-1', dimension: 2 });
    await vectors().create({ name: 'page-2', dimension: 2 });
    const first = await vectors().list({ limit: 1 });
    expect(first.indexes).toHaveLength(1);
    expect(first.next_cursor).not.toBeNull();
    const rest = await vectors().list({ cursor: first.next_cursor });
    expect([...first.indexes, ...rest.indexes].map(({ name }) => name)).toEqual(
      expect.arrayContaining(['page-1', 'page-2']),
    );
    for (const name of ['../up', 'a/b', 'Not One', ''])
      expect(await problemOf(vectors().create({ name, dimension: 2 })), name).toMatchObject({ status: 400 });
    expect(await problemOf(vectors().info('../up'))).toMatchObject({ status: 400 });
  });
});

describe('adding', () => {
  beforeAll(() => vectors().create({ name: 'added', dimension: 2 }));

  it('reference 10.1: adding an id again replaces it, and the count stays', async () => {
    await vectors().add('added', {
      items: [
        { id: 'a', vector: [1, 0] },
        { id: 'b', vector: [0, 1] },
      ],
    });
    await vectors().add('added', { items: [{ id: 'a', vector: [-1, 0] }] });
    expect(await vectors().info('added')).toMatchObject({ count: 2 });
    const { results } = await vectors().search('added', { vector: [-1, 0] });
    expect(results[0]).toEqual({ id: 'a', distance: 0 });
  });

  it('reference 10.2: after the last one is deleted, adding works', async () => {
    await stack.client.ingest(
      'added',
      ['a', 'b'].map((id) => ({ id, deleted: true })),
      { waitSearchable: true },
    );
    expect(await vectors().info('added')).toMatchObject({ count: 0 });
    expect(await vectors().search('added', { vector: [1, 0] })).toEqual({ results: [] });
    await vectors().add('added', { items: [{ id: 'a', vector: [1, 0] }] });
    expect(await idsOf('added')).toEqual(['a']);
  });

  it('reference 10.3: of several items with one id the last counts', async () => {
    const items = [
      { id: 'twice', vector: [1, 0] },
      { id: 'twice', vector: [0, 1], metadata: { last: true } },
    ];
    expect(await vectors().add('added', { items })).toMatchObject({ added: 1 });
    const { results } = await vectors().search('added', { vector: [0, 1], k: 1 });
    expect(results).toEqual([{ id: 'twice', distance: 0, metadata: { last: true } }]);
  });

  it('reference 10.4 and reference 10.5: a bad item is a 400 that names it, and nothing of its batch is appended', async () => {
    const good = { id: 'good', vector: [1, 0] };
    const before = await ingestEnd();
    const refusedOf = async (item: unknown) =>
      problemOf(vectors().add('added', { items: [good, item as typeof good, { id: 'more', vector: [0, 1] }] }));
    const base64 = (...values: number[]) => Buffer.from(Float32Array.from(values).buffer).toString('base64');
    const cases: [unknown, string][] = [
      [{ id: 'bad', vector: [1, 2, 3] }, 'has 3 values'],
      [{ id: 'bad', vector: [0, 0] }, 'zero'],
      [{ id: 'bad', vector: base64(Number.NaN, 1) }, 'NaN'],
      [{ id: 'bad', vector: base64(Number.POSITIVE_INFINITY, 1) }, 'infinity'],
      [{ id: 'bad', vector: [1e300, 1] }, 'float32'],
      [{ id: 'bad', vector: 'not base64' }, 'vector'],
      [{ id: 'bad' }, 'vector'],
      [{ id: 'bad', vector: [1, 0], metadata: [] }, 'metadata'],
      [{ id: 'bad', vector: [1, 0], text: 'no' }, 'text'],
    ];
    for (const [item, reason] of cases) {
      const told = await refusedOf(item);
      expect(told, JSON.stringify(item)).toMatchObject({ status: 400, code: 'invalid_document', row: 1, id: 'bad' });
      expect(told?.detail).toContain(reason);
    }
    expect(await refusedOf({ id: '', vector: [1, 0] })).toMatchObject({ status: 400, row: 1 });
    // JSON has no word for what is not a number.
    const raw = await fetch(`${stack.url}/v1/vectors/index/added/add`, {
      method: 'POST',
      body: '{"items": [{"id": "bad", "vector": [NaN, 1]}]}',
    });
    expect(raw.status).toBe(400);
    expect(await problemOf(vectors().add('added', { items: [] }))).toMatchObject({ status: 400 });
    expect(await ingestEnd()).toBe(before);
    expect(await idsOf('added')).not.toContain('good');
  });

  it('reference 10.6: metadata that is left out or null stays, and {} clears it', async () => {
    const add = (metadata?: Record<string, unknown> | null) =>
      vectors().add('added', {
        items: [{ id: 'meta', vector: [3, 4], ...(metadata === undefined ? {} : { metadata }) }],
      });
    const told = async () => {
      const { results } = await vectors().search('added', { vector: [3, 4], k: 1 });
      return results[0];
    };
    await add({ n: 1 });
    await add();
    expect(await told()).toMatchObject({ id: 'meta', metadata: { n: 1 } });
    await add(null);
    expect(await told()).toMatchObject({ metadata: { n: 1 } });
    await add({});
    expect(await told()).not.toHaveProperty('metadata');
  });

  it('refuses a search of the wrong dimension, or without a direction', async () => {
    for (const vector of [[1], [0, 0]])
      expect(await problemOf(vectors().search('added', { vector }))).toMatchObject({
        status: 400,
        code: 'invalid_vector',
      });
  });

  it('reference 10.12: what is added to an index of 5,000 is found by its content at once', async () => {
    const random = createRandom(12);
    const vectorOf = () => Array.from({ length: 16 }, () => random.unit() - 0.5);
    await vectors().create({ name: 'large', dimension: 16 });
    for (let at = 0; at < 5; at++)
      await vectors().add('large', {
        items: Array.from({ length: 1_000 }, (_, row) => ({ id: `d-${at}-${row}`, vector: vectorOf() })),
      });
    for (let fresh = 0; fresh < 20; fresh++) {
      const vector = vectorOf();
      await vectors().add('large', { items: [{ id: `fresh-${fresh}`, vector }] });
      const { results } = await vectors().search('large', { vector, k: 3 });
      expect(results[0]?.id).toBe(`fresh-${fresh}`);
    }
  });

  it('reference 10.10: a small index under mixed writes fails nothing, and ends as it was told to', async () => {
    await vectors().create({ name: 'mixed', dimension: 2 });
    const random = createRandom(10);
    const expected = new Set<string>();
    for (let turn = 0; turn < 150; turn++) {
      const id = `m-${below(random, 12)}`;
      if (below(random, 3) === 0) {
        await stack.client.ingest('mixed', [{ id, deleted: true }], { waitSearchable: true });
        expected.delete(id);
      } else {
        await vectors().add('mixed', { items: [{ id, vector: [1 + random.unit(), random.unit()] }] });
        expected.add(id);
      }
      if (turn % 10 === 0) await vectors().search('mixed', { vector: [1, 1] });
    }
    expect(await idsOf('mixed')).toEqual([...expected].sort());
  });
});

describe('merging', () => {
  it('refuses another dimension, a destination that is missing, and itself', async () => {
    await vectors().create({ name: 'from', dimension: 2 });
    await vectors().create({ name: 'wider', dimension: 3 });
    await vectors().create({ name: 'into', dimension: 2 });
    expect(await problemOf(vectors().merge('from', { dest: 'wider' }))).toMatchObject({ status: 400, field: 'dest' });
    expect(await problemOf(vectors().merge('from', { dest: 'nowhere' }))).toMatchObject({ status: 404, field: 'dest' });
    expect(await problemOf(vectors().merge('from', { dest: 'from' }))).toMatchObject({ status: 400, field: 'dest' });
  });

  it('reference 10.11: takes along what has no metadata, keeps what is there, and empties the source', async () => {
    const items = (ids: readonly string[], metadata?: Record<string, unknown>) =>
      ids.map((id, at) => ({ id, vector: [1, at], ...(metadata === undefined ? {} : { metadata }) }));
    await vectors().add('from', { items: [...items(['plain', 'shared', 'again']), ...items(['told'], { n: 1 })] });
    await vectors().add('into', { items: [...items(['shared'], { mine: true }), { id: 'again', vector: [5, 5] }] });
    // Deleted there before: the tombstone is known, so what is merged stands behind it.
    await stack.client.ingest('into', [{ id: 'again', deleted: true }], { waitSearchable: true });
    expect(await vectors().merge('from', { dest: 'into' })).toEqual({ merged: 3, skipped: 1, cleared: 0 });
    expect(await idsOf('into')).toEqual(['again', 'plain', 'shared', 'told']);
    const { results } = await vectors().search('into', { vector: [1, 0], k: 4 });
    expect(Object.fromEntries(results.map(({ id, metadata }) => [id, metadata]))).toEqual({
      plain: undefined,
      again: undefined,
      shared: { mine: true },
      told: { n: 1 },
    });
    // Again it does nothing, but for what is asked of the source.
    expect(await vectors().merge('from', { dest: 'into', clear_source: true })).toEqual({
      merged: 0,
      skipped: 4,
      cleared: 4,
    });
    expect(await vectors().info('from')).toMatchObject({ count: 0 });
    expect(await vectors().merge('from', { dest: 'into' })).toEqual({ merged: 0, skipped: 0, cleared: 0 });
  });

  it('copies the newest state of a document, though an older one was appended behind it', async () => {
    await vectors().create({ name: 'late-from', dimension: 2 });
    await vectors().create({ name: 'late-into', dimension: 2 });
    await vectors().add('late-from', { items: [{ id: 'late', vector: [1, 0], metadata: { n: 1 } }] });
    const tokens = { space: 'vectors@2', corpus: 'late-from', key: 'late' };
    const subject = subjectOf('lakehouse.vector', tokens);
    const older = (await readNewest(stack.operator, 'lakehouse.vector', subject))?.data;
    if (older === undefined) throw new Error('the vector is not in the log');
    await vectors().add('late-from', { items: [{ id: 'late', vector: [0, 1], metadata: { n: 2 } }] });
    const { user, pass } = stack.server.optionsFor('embed');
    const embed = await connectLog({ url: stack.server.url, user, password: pass, name: 'late', clock: systemClock });
    await append(embed, 'lakehouse.vector', tokens, older, { messageId: 'late again', source: 'test' });
    await embed.drain();
    expect((await readNewest(stack.operator, 'lakehouse.vector', subject))?.data).toEqual(older);
    expect(await vectors().merge('late-from', { dest: 'late-into' })).toMatchObject({ merged: 1 });
    const [copied] = (await vectors().search('late-into', { vector: [0, 1], k: 1 })).results;
    expect(copied).toMatchObject({ id: 'late', metadata: { n: 2 } });
    expect(copied?.distance).toBeCloseTo(0);
  });

  it('yields to what a producer says at the same time, and loses nothing that is said of the source', async () => {
    await vectors().create({ name: 'busy-from', dimension: 2 });
    await vectors().create({ name: 'busy-into', dimension: 2 });
    const ids = Array.from({ length: 300 }, (_, at) => `b-${at}`);
    await vectors().add('busy-from', { items: ids.map((id) => ({ id, vector: [1, 1] })) });
    const merging = vectors().merge('busy-from', { dest: 'busy-into', clear_source: true });
    const said = (corpus: string, id: string) => ({ corpus, id });
    const meanwhile = ids
      .filter((_, at) => at % 7 === 0)
      .flatMap((id) => [said('busy-into', id), said('busy-from', id)]);
    for (const { corpus, id } of meanwhile)
      await appendBytes(
        stack.operator,
        `ingest.${corpus}`,
        Buffer.from(JSON.stringify({ id, vector: [2, 1], space: 'vectors@2', metadata: { producer: true } })),
        { messageId: `busy ${corpus} ${id}` },
      );
    const { merged, skipped, cleared } = await merging;
    expect(merged + skipped).toBe(300);
    expect(cleared).toBeLessThanOrEqual(300);
    const report = await verified();
    expect(report.ingest.differences).toEqual([]);
    expect(report.equal).toBe(true);
    // What the producer said of the destination stands. Of the source it stands where it was said after the copy was made;
    // what was said before was copied, and taken out with the rest.
    for (const { corpus, id } of meanwhile.slice(0, 30)) {
      const { state, metadata } = await stack.client.document(corpus, id);
      if (corpus === 'busy-into' || state === 'alive') expect(metadata.value).toEqual({ producer: true });
      else expect(state).toBe('deleted');
    }
    expect(await vectors().info('busy-into')).toMatchObject({ count: 300 });
  });
});

describe('what was added by hand', () => {
  it('survives a rebuild and a new index worker, and an index of the past knows what was dropped since', async () => {
    const before = await ingestEnd();
    await vectors().delete('into');
    const digestsOf = async () => (await stack.client.indexDigest()).indexes.map(({ digest }) => digest).sort();
    const digests = await digestsOf();
    const environment = { ...process.env, ...environmentOf(stack, 'operator') };
    const rebuild = async (corpus: string, side: { name: string; untilSequence: number } | null) => {
      const task = { task: 'rebuild', corpus, kind: 'documents', compare: side === null, force: false, side } as const;
      const result = await runTask(task, environment, () => undefined);
      if (result.say !== 'rebuilt') throw new Error(`told "${result.say}"`);
      for (const run of result.runs) await untilServed(stack.client, run);
      return result.runs;
    };
    // One for each space: what was deleted without a space is known in the embedder's too.
    const rebuilt = [...(await rebuild('added', null)), ...(await rebuild('busy-into', null))];
    expect(rebuilt.map(({ corpus }) => corpus)).toEqual(expect.arrayContaining(['added', 'busy-into']));
    for (const run of rebuilt) expect(run).toMatchObject({ outcome: 'switched', equal: true });
    await rebuild('into', { name: 'before-drop', untilSequence: before });
    const past = await stack.client.search({ query_vector: [1, 0], corpora: ['into'], k: 10, index: 'before-drop' });
    expect(past.results.map(({ id }) => id).sort()).toEqual(['again', 'plain', 'shared', 'told']);
    expect(await problemOf(vectors().info('into'))).toMatchObject({ status: 404 });
    expect(await digestsOf()).toEqual(digests);

    // Stopped in order it leaves a snapshot; the next one boots from that.
    await stack.stop('index');
    await stack.start('index');
    expect((await stack.client.indexInfo()).snapshot).not.toBeNull();
    expect(await digestsOf()).toEqual(digests);
    expect(await vectors().info('large')).toMatchObject({ count: 5_020, declared: true });
    expect(await verified()).toMatchObject({ equal: true, ingest: { differing: 0 } });
  });
});
