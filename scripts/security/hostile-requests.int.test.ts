import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Operation } from '../../schemas/operation.ts';
import { operations } from '../../schemas/operations.ts';
import { encodeVector } from '../../schemas/vector.ts';
import { ownDimension, ownSpace, ownVectorsEnvironment } from '../chaos/stack.ts';
import { startTestStack, type TestStack } from '../testing/stack.ts';

let stack: TestStack;
beforeAll(async () => {
  stack = await startTestStack({ environment: ownVectorsEnvironment });
});
afterAll(() => stack[Symbol.asyncDispose]());

const vector = (row: number) =>
  encodeVector(Float32Array.from({ length: ownDimension }, (_, at) => Math.sin(row + at) + 0.01));

async function send(method: string, path: string, body?: string): Promise<{ status: number; text: string }> {
  const given = body === undefined ? {} : { body, headers: { 'content-type': 'application/json' } };
  const answer = await fetch(`${stack.url}${path}`, { method, ...given });
  return { status: answer.status, text: await answer.text() };
}

const json = (path: string, body: unknown) => send('POST', path, JSON.stringify(body));
const named = (list: readonly Operation[]) => list.map((one) => [`${one.method} ${one.path}`, one] as const);
const pathOf = ({ path }: Operation, part: string) => path.replace(/\{\w+\}/g, () => part);

/** The fields that a body of an operation may have. */
function fieldsOf({ requests = [] }: Operation): string[] {
  return requests.flatMap(({ mediaType, schema }) => {
    if (mediaType !== 'application/json') return [];
    const { properties } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as { properties?: object };
    return Object.keys(properties ?? {});
  });
}

/** Never an error of this system, whoever answers; a 502 of a missing corpus is an answer. */
function expectHandled({ status, text }: { status: number; text: string }, sent: string): void {
  expect([status === 500, sent.slice(0, 120), status === 500 ? text : '']).toEqual([false, sent.slice(0, 120), '']);
}

const depth = 20_000;
const deepArray = `${'['.repeat(depth)}${']'.repeat(depth)}`;
const deepObject = `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;
/** What JSON may hold where something else is wanted. */
const oddities = [
  deepArray,
  deepObject,
  '{"__proto__":{"polluted":true}}',
  '{"constructor":{"prototype":{"polluted":true}}}',
  '"__proto__"',
  '1e999',
  '-0',
  'null',
  `"${'\\u0000'}"`,
  '"\\ud800"',
  `"${' '.repeat(20_000)}"`,
  `"${'import '.repeat(5_000)}"`,
  '[[]]',
];

describe.each(named(operations.filter(({ requests }) => requests !== undefined)))('%s', (_, operation) => {
  it('meets every oddity in every field without an error of its own', async () => {
    const path = pathOf(operation, 'workers');
    const bodies = [...oddities, '', '{', '[', '{}', '[]', '\u0000', '{"a":1}{"b":2}', '{},"name":"other"', '1}'];
    for (const field of fieldsOf(operation))
      for (const odd of oddities) bodies.push(`{${JSON.stringify(field)}:${odd}}`);
    for (const body of bodies) expectHandled(await send(operation.method, path, body), `${path} ${body}`);
  });
});

describe.each(named(operations.filter(({ path }) => path.includes('{'))))('%s', (_, operation) => {
  it.each([
    '..%2f..%2fhealthz',
    '%2e%2e',
    '%00',
    'a%0d%0aX-Injected:%201',
    '__proto__',
    'constructor',
    '%f0%9f%98%80',
    'a%2fb',
    '~corpus',
    '*',
    '%3e',
    'x'.repeat(300),
  ])('with %s in its path stays in its place', async (part) => {
    const answer = await send(
      operation.method,
      pathOf(operation, part),
      operation.requests === undefined ? undefined : '{}',
    );
    expectHandled(answer, `${operation.path} ${part}`);
    expect(answer.text).not.toContain('"status":"ok"');
  });
});

it('nothing of all that reached what objects share', () => {
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
});

describe('names of JavaScript', () => {
  const names = ['__proto__', 'constructor', 'tostring', 'hasownproperty'];

  it('are corpora like any other', async () => {
    for (const [row, corpus] of names.entries()) {
      const taken = await json(`/v1/ingest/${corpus}?wait=searchable`, {
        id: 'w-1',
        vector: vector(row),
        space: ownSpace,
        metadata: { corpus },
      });
      expect([corpus, taken.status, taken.text]).toMatchObject([
        corpus,
        200,
        expect.stringContaining('"searchable":1'),
      ]);
      const found = await stack.client.search({
        query_vector: [...new Float32Array(new Uint8Array(Buffer.from(vector(row), 'base64')).buffer)],
        corpora: [corpus],
        k: 3,
      });
      expect(found.results).toMatchObject([{ id: 'w-1', corpus, metadata: { corpus } }]);
      expect((await send('GET', `/v1/index/digest?corpus=${corpus}`)).status).toBe(200);
      expect((await send('GET', `/v1/corpora/${corpus}/documents/w-1`)).status).toBe(200);
      expect((await send('GET', `/v1/ingest/${corpus}/status`)).status).toBe(200);
    }
    const { indexes } = await stack.client.indexInfo();
    expect(indexes.map(({ corpus }) => corpus)).toEqual(expect.arrayContaining(names));
  });

  it('are ids and metadata like any other, but for the one that JavaScript can not hold', async () => {
    for (const id of ['__proto__', 'constructor', '../x', 'a/b', '%00', '*', '>', 'a.b']) {
      const path = `/v1/corpora/ids/documents/${encodeURIComponent(id)}`;
      const taken = await json('/v1/ingest/ids?wait=searchable', {
        id,
        vector: vector(1),
        space: ownSpace,
        metadata: { constructor: id },
      });
      expect([id, taken.status, taken.text]).toMatchObject([id, 200, expect.stringContaining('"searchable":1')]);
      expect(JSON.parse((await send('GET', path)).text)).toMatchObject({
        id,
        metadata: { value: { constructor: id } },
      });
    }
    const refused = await send('POST', '/v1/ingest/ids', '{"id":"w","text":"x","metadata":{"__proto__":1}}');
    expect(refused.status).toBe(400);
  });

  it('filter as keys like any other', async () => {
    const search = (filter: string) =>
      send(
        'POST',
        '/v1/matrix/search',
        `{"query_vector":${JSON.stringify([...Array(ownDimension).keys()])},"corpora":["ids"],"k":50,"metadata_filter":${filter}}`,
      );
    expect(JSON.parse((await search('{"constructor":"*"}')).text).results).toMatchObject([{ id: '*' }]);
    for (const filter of [
      '{"__proto__":{"exists":true}}',
      '{"hasOwnProperty":{"exists":true}}',
      '{"toString":{"not":"x"}}',
    ])
      expect(JSON.parse((await search(filter)).text).results).toEqual([]);
  });
});

describe('filters and texts that were made to be slow', () => {
  const search = (filter: object) =>
    json('/v1/matrix/search', {
      query_vector: [...Array(ownDimension).keys()],
      corpora: ['ids'],
      k: 1_000,
      metadata_filter: filter,
    });

  it('are answered or refused, and the next search is answered', async () => {
    const list = (length: number) => Array.from({ length }, (_, at) => `${'x'.repeat(20)}${at}`);
    const keys = (count: number, condition: unknown) =>
      Object.fromEntries(Array.from({ length: count }, (_, at) => [`key-${at}`, condition]));
    const nested = JSON.parse(`${'[{"a":'.repeat(3)}1${'}]'.repeat(3)}`) as unknown;
    expect((await search(keys(17, 1))).status).toBe(400);
    expect((await search({ a: { in: list(1_001) } })).status).toBe(400);
    expect((await search({ a: 'x'.repeat(70_000) })).status).toBe(400);
    expect((await search({ a: { regex: '(a+)+$' } })).status).toBe(400);
    expect((await search(keys(16, { in: list(100), not: list(50), exists: true }))).status).toBe(200);
    expect((await search(keys(16, nested))).status).toBe(200);
  });

  it.each([
    ['lexical', { retrieval: 'lexical', query_text: 'a-'.repeat(60_000) }],
    ['a role', { role: `${' '.repeat(150)}x`, query_text: 'x' }],
    ['a query of one word', { retrieval: 'lexical', query_text: 'x'.repeat(200_000) }],
    ['combining marks', { retrieval: 'lexical', query_text: `e${'\u0301'.repeat(100_000)}` }],
  ])('%s', async (_, request) => {
    expectHandled(await json('/v1/matrix/search', { corpora: ['ids'], k: 1, ...request }), JSON.stringify(request));
  });
});
