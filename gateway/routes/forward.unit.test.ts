import { describe, expect, it } from 'vitest';
import { problem } from '../../schemas/problems.ts';
import { type Asked, reply, testGateway, testOptions } from '../app-fixtures.ts';
import { forwards } from './forwards.ts';

const search = { method: 'POST', url: '/v1/matrix/search' } as const;

describe('forwarding', () => {
  it('passes bytes there and back, whatever they are called and whether or not they are JSON', async () => {
    const answered = Buffer.from([0x7b, 0x20, 0xff, 0x7d]);
    const { app, asked } = testGateway({ answer: () => ({ status: 200, headers: {}, body: answered }) });
    const body = Buffer.from('{"query_text": "a" , broken \u0000');
    for (const type of ['application/json', 'text/plain', 'application/x-www-form-urlencoded', 'image/png']) {
      const response = await app.inject({ ...search, body, headers: { 'content-type': type } });
      expect(response.statusCode).toBe(200);
      expect(response.headers['content-type']).toBe('application/json');
      expect(response.rawPayload).toEqual(answered);
    }
    expect(asked).toHaveLength(4);
    for (const one of asked) expect(Buffer.from(one.body)).toEqual(body);
  });

  it('refuses a content type that can not be read', async () => {
    const response = await testGateway().app.inject({
      ...search,
      body: '{}',
      headers: { 'content-type': 'what ever' },
    });
    expect(response.json()).toMatchObject({ status: 415, code: 'unsupported_media_type' });
  });

  it('passes a request without a body as no bytes', async () => {
    const { app, asked } = testGateway();
    await app.inject(search);
    expect(asked[0]?.body).toHaveLength(0);
  });

  it.each(forwards.map((forward) => [forward.method, forward.url, forward] as const))(
    '%s %s asks its service, within its deadline',
    async (method, url, { subject, gather, deadline }) => {
      const { app, asked } = testGateway();
      expect((await app.inject({ method, url })).statusCode).toBe(
        url === '/v1/vectors/index' && method === 'POST' ? 201 : 200,
      );
      const deadlineMs = { search: 1_000, embed: 3_000, wait: 2_000 }[deadline];
      expect(asked).toMatchObject([{ subject, options: { gather, deadlineMs } }]);
      expect(testOptions).toMatchObject({ searchDeadlineMs: 1_000, embedDeadlineMs: 3_000, waitDeadlineMs: 2_000 });
    },
  );

  it('lets searches gather, and nothing else', () => {
    const gathered = forwards.filter(({ gather }) => gather);
    expect(gathered.map(({ url, subject }) => [url, subject])).toEqual([
      ['/v1/matrix/search', 'svc.matrix.search'],
      ['/v1/matrix/retrieve', 'svc.matrix.search'],
    ]);
  });

  it('asks for the digest of the corpus that is named, of all without one', async () => {
    const { app, asked } = testGateway();
    await app.inject('/v1/index/digest');
    await app.inject('/v1/index/digest?corpus=workers');
    expect(asked.map(({ body }) => Buffer.from(body).toString())).toEqual(['{}', '{"corpus":"workers"}']);
    const refused = await app.inject('/v1/index/digest?corpus=Not%20One');
    expect(refused.statusCode).toBe(400);
    expect(refused.json()).toMatchObject({ code: 'bad_request', field: 'corpus' });
    expect(asked).toHaveLength(2);
  });

  it.each([
    ['bad_request', 400, undefined],
    ['corpus_not_found', 502, undefined],
    ['unavailable', 503, '1'],
    ['overloaded', 503, '1'],
    ['deadline_passed', 504, '1'],
    ['store_full', 507, undefined],
  ] as const)('passes the problem %s on as %i', async (code, status, retryAfter) => {
    const told = problem(code, 'because');
    const { app } = testGateway({ answer: () => reply(status, told) });
    const response = await app.inject({ ...search, body: '{}' });
    expect(response.statusCode).toBe(status);
    expect(response.headers['content-type']).toBe('application/problem+json');
    expect(response.headers['retry-after']).toBe(retryAfter);
    expect(response.json()).toEqual(told);
  });

  it('does not pass on a status that is none', async () => {
    const { app } = testGateway({ answer: () => reply(0, {}) });
    expect((await app.inject(search)).json()).toMatchObject({ status: 502, code: 'upstream_failed' });
  });

  it('says at once that the bus is away, without waiting for a deadline', async () => {
    const { app, asked } = testGateway({ dependencies: { isConnected: () => false } });
    const response = await app.inject(search);
    expect(response.statusCode).toBe(503);
    expect(response.headers['retry-after']).toBe('1');
    expect(response.json()).toMatchObject({ code: 'unavailable' });
    expect(asked).toEqual([]);
  });
});

describe('positions', () => {
  const positionOf = ({ options }: Asked) => options.headers?.['X-Lakehouse-Position'];

  it('shows the position of the answer, and asks it of every later search', async () => {
    const { app, asked } = testGateway({
      answer: ({ subject }) =>
        reply(200, {}, subject === 'svc.playbooks.record' ? { 'X-Lakehouse-Position': 'PLAYBOOKS=7' } : {}),
    });
    await app.inject(search);
    const recorded = await app.inject({ method: 'POST', url: '/v1/matrix/playbooks/record', body: '{}' });
    expect(recorded.headers['x-lakehouse-position']).toBe('PLAYBOOKS=7');
    await app.inject(search);
    await app.inject({ ...search, headers: { 'x-lakehouse-position': 'PLAYBOOKS=3,VECTORS=9' } });
    await app.inject(search);
    expect(asked.filter(({ subject }) => subject === 'svc.matrix.search').map(positionOf)).toEqual([
      undefined,
      'PLAYBOOKS=7',
      'PLAYBOOKS=7,VECTORS=9',
      'PLAYBOOKS=7',
    ]);
  });

  it('refuses a malformed one', async () => {
    const { app, asked } = testGateway();
    const response = await app.inject({ ...search, headers: { 'x-lakehouse-position': 'tomorrow' } });
    expect(response.json()).toMatchObject({ status: 400, code: 'bad_request' });
    expect(asked).toEqual([]);
  });
});
