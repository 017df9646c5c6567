import { describe, expect, it } from 'vitest';
import type { ServiceReply } from '../streams/service-client.ts';
import { quietTelemetry } from '../streams/telemetry/telemetry.ts';
import type { SpanAttributes, SpanStart } from '../streams/telemetry/tracing.ts';
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

  it.each([undefined, '', 'two words', 'x'.repeat(129)])('lesson 19: begins one where %j was sent', async (given) => {
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

describe('W3C trace context', () => {
  const given = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

  it('is handed on as it came where no spans are made, beside the trace id', async () => {
    const { app, asked, appended } = testGateway();
    const headers = { traceparent: given, [traceHeader]: 'mine' };
    await app.inject({ ...search, headers });
    expect(asked[0]?.options.headers).toMatchObject({ traceparent: given, 'X-Lakehouse-Trace-Id': 'mine' });
    await app.inject({ method: 'POST', url: '/v1/ingest/workers', headers, body: '{"id":"w-1","text":"x"}' });
    expect(appended).toMatchObject([{ traceparent: given, traceId: 'mine' }]);
  });

  it.each([undefined, '', 'malformed', `${given}-more`, `${given}\t`])(
    'is as if not sent where it is %j',
    async (sent) => {
      const { app, asked } = testGateway();
      const response = await app.inject({ ...search, headers: sent === undefined ? {} : { traceparent: sent } });
      expect(response.statusCode).toBe(200);
      expect(asked[0]?.options.headers).not.toHaveProperty('traceparent');
    },
  );

  it('begins a span for each request that ends with it, and the probes have none', async () => {
    const told: object[] = [];
    const telemetry = {
      ...quietTelemetry(),
      tracing: {
        start: (span: SpanStart) => {
          told.push(span);
          const end = (failure?: string, attributes?: SpanAttributes) => void told.push({ failure, attributes });
          return { traceparent: `${given.slice(0, -2)}00`, end };
        },
        stop: async () => undefined,
      },
    };
    const { app, asked } = testGateway({ dependencies: { telemetry }, answer: () => reply(503, {}) });
    await app.inject('/healthz');
    await app.inject({ ...search, headers: { traceparent: given, [traceHeader]: 'mine' } });
    expect(asked[0]?.options.headers).toMatchObject({ traceparent: `${given.slice(0, -2)}00` });
    expect(told).toMatchObject([
      {
        name: 'POST /v1/matrix/search',
        kind: 'server',
        parent: given,
        attributes: { 'http.route': '/v1/matrix/search', 'lakehouse.trace_id': 'mine' },
      },
      { failure: 'status 503', attributes: { 'http.response.status_code': 503 } },
    ]);
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
