import { describe, expect, it } from 'vitest';
import type { ServiceReply } from '../streams/service-client.ts';
import { reply, testGateway } from './app-fixtures.ts';

const search = { method: 'POST', url: '/v1/matrix/search' } as const;
const traceHeader = 'x-lakehouse-trace-id';

describe('trace ids', () => {
  it('carries on the trace that the caller began', async () => {
    const { app, asked, operations } = testGateway();
    const response = await app.inject({ ...search, headers: { [traceHeader]: 'mine/1' } });
    expect(response.headers[traceHeader]).toBe('mine/1');
    expect(asked[0]?.options.headers).toMatchObject({ 'X-Lakehouse-Trace-Id': 'mine/1' });
    expect(operations).toMatchObject([{ trace_id: 'mine/1' }]);
  });

  it.each([undefined, '', 'two words', 'x'.repeat(129)])('begins one where %j was sent', async (given) => {
    const { app, asked } = testGateway();
    const response = await app.inject({ ...search, headers: given === undefined ? {} : { [traceHeader]: given } });
    expect(response.headers[traceHeader]).toBe('trace-1');
    expect(asked[0]?.options.headers).toMatchObject({ 'X-Lakehouse-Trace-Id': 'trace-1' });
  });

  it('names the trace of a refused request too', async () => {
    const { app } = testGateway();
    expect((await app.inject('/nowhere')).headers[traceHeader]).toBe('trace-1');
  });
});

describe('problems', () => {
  it.each([
    ['GET', '/nowhere', 404, 'not_found'],
    ['POST', '/v1/matrix/search/more', 404, 'not_found'],
    ['GET', '/v1/matrix/search', 405, 'method_not_allowed'],
    ['DELETE', '/v1/ingest/workers', 405, 'method_not_allowed'],
    ['GET', '/%zz', 400, 'bad_request'],
    ['POST', `/v1/ingest/${'w'.repeat(200)}`, 400, 'bad_request'],
  ] as const)('%s %s is a %i problem', async (method, url, status, code) => {
    const response = await testGateway().app.inject({ method, url });
    expect(response.statusCode).toBe(status);
    expect(response.headers['content-type']).toBe('application/problem+json');
    expect(response.json()).toMatchObject({ type: `urn:lakehouse:problem:${code}`, status, code });
    expect(Object.keys(response.json())).toEqual(expect.arrayContaining(['title', 'detail']));
  });

  it('names the methods that a path takes', async () => {
    const response = await testGateway().app.inject({ method: 'PUT', url: '/v1/embed/stats?x=1' });
    expect(response.headers.allow).toBe('GET, HEAD');
  });

  it('tells nothing of an unexpected error but that there was one, and logs it', async () => {
    const error = new Error('the secret inner life');
    const { app, logged } = testGateway({ answer: () => Promise.reject(error) });
    const response = await app.inject({ ...search, body: '{}' });
    expect(response.json()).toMatchObject({ status: 500, code: 'internal' });
    expect(response.body).not.toContain('inner life');
    expect(response.body).not.toContain('.ts');
    expect(logged).toMatchObject([{ error }]);
  });
});

describe('overload', () => {
  it('refuses more than are taken at once, and takes again when one is done', async () => {
    const waiting: ((answer: ServiceReply) => void)[] = [];
    let asking = () => {};
    const bothAsked = new Promise<void>((resolve) => {
      asking = () => {
        if (waiting.length === 2) resolve();
      };
    });
    const { app } = testGateway({
      options: { requestsWaitingMax: 2 },
      answer: () =>
        new Promise<ServiceReply>((resolve) => {
          waiting.push(resolve);
          asking();
        }),
    });
    const first = [app.inject(search), app.inject(search)];
    await Promise.race([bothAsked, ...first]);
    const refused = await app.inject(search);
    expect(refused.statusCode).toBe(503);
    expect(refused.headers['retry-after']).toBe('1');
    expect(refused.json()).toMatchObject({ code: 'overloaded' });
    expect((await app.inject('/healthz')).statusCode).toBe(200);
    for (const answer of waiting.splice(0)) answer(reply(200, {}));
    expect((await Promise.all(first)).map(({ statusCode }) => statusCode)).toEqual([200, 200]);
    const again = app.inject(search);
    await Promise.race([again, new Promise<void>((resolve) => (asking = resolve))]);
    for (const answer of waiting) answer(reply(200, {}));
    expect((await again).statusCode).toBe(200);
  });
});

describe('observations', () => {
  it('tells of every request by the pattern of its path', async () => {
    const { app, operations } = testGateway({ answer: ({ body }) => reply(body.length > 2 ? 400 : 200, {}) });
    await app.inject({ ...search, body: '{}' });
    await app.inject({ ...search, body: '{"a":1}' });
    await app.inject({ method: 'POST', url: '/v1/ingest/workers', body: '{"id":"w-1","text":"x"}' });
    await app.inject('/nowhere');
    expect(operations).toMatchObject([
      { endpoint: 'POST /v1/matrix/search', success: true, input_summary: '2 bytes', output_summary: 'status 200' },
      { endpoint: 'POST /v1/matrix/search', success: false, input_summary: '7 bytes', error: 'status 400' },
      { endpoint: 'POST /v1/ingest/:corpus', success: true, input_summary: '23 bytes' },
      { endpoint: 'GET unknown path', success: false, error: 'status 404' },
    ]);
  });
});

describe('health', () => {
  const info = { worker: 'index-1', caught_up: true, position: {}, indexes: [], snapshot: null, memory_rss_bytes: 1 };

  it('lives, whatever else is away', async () => {
    const { app } = testGateway({ dependencies: { isConnected: () => false } });
    expect((await app.inject('/healthz')).json()).toEqual({ status: 'ok' });
  });

  it('is ready when JetStream answers and an index worker has caught up', async () => {
    const { app, asked } = testGateway({ answer: () => reply(200, info) });
    const response = await app.inject('/readyz');
    expect(response.statusCode).toBe(200);
    expect(asked).toMatchObject([{ subject: 'svc.index.info' }]);
  });

  it.each([
    ['the bus is away', { dependencies: { isConnected: () => false } }, /connection/],
    ['JetStream hangs', { dependencies: { jetStreamReadiness: async () => 'JetStream hangs' } }, /JetStream hangs/],
    ['nobody answers', { answer: () => reply(503, {}) }, /no index worker/],
    ['the index is behind', { answer: () => reply(200, { ...info, caught_up: false }) }, /index-1 has not caught up/],
    ['the answer is strange', { answer: () => reply(200, 'hello') }, /can not be read/],
  ] as const)('is not ready when %s', async (_, given, reason) => {
    const { app } = testGateway({ answer: () => reply(200, info), ...given });
    const response = await app.inject('/readyz');
    expect(response.statusCode).toBe(503);
    expect(response.json()).toMatchObject({ code: 'unavailable', detail: expect.stringMatching(reason) });
  });
});
