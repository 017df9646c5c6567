import { describe, expect, it } from 'vitest';
import { reply, testGateway } from '../app-fixtures.ts';

const search = { method: 'POST', url: '/v1/matrix/search', body: '{}' } as const;
const count = 'lakehouse_http_request_duration_seconds_count';

/** The values of a metric, by its labels as they are written. */
function samples(text: string, name: string): Record<string, number> {
  const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  return Object.fromEntries(
    lines.map((line) => {
      const [, labels = '', value = ''] = /^[a-z_]+(\{.*\})? (\S+)$/.exec(line) ?? [];
      return [labels, Number(value)];
    }),
  );
}

describe('GET /metrics', () => {
  it('counts requests by method, pattern of the path, and status class', async () => {
    const { app } = testGateway({ answer: ({ body }) => reply(body.length > 2 ? 400 : 200, {}) });
    await app.inject(search);
    await app.inject(search);
    await app.inject({ ...search, body: '{"a":1}' });
    await app.inject({ method: 'POST', url: '/v1/ingest/workers', body: '{"id":"w-1","text":"x"}' });
    await app.inject({ method: 'POST', url: '/v1/ingest/others', body: '{"id":"w-1","text":"x"}' });
    const answer = await app.inject('/metrics');
    expect(answer.headers['content-type']).toContain('text/plain; version=0.0.4');
    expect(samples(answer.body, count)).toEqual({
      '{method="POST",route="/v1/matrix/search",status="2xx"}': 2,
      '{method="POST",route="/v1/matrix/search",status="4xx"}': 1,
      '{method="POST",route="/v1/ingest/:corpus",status="2xx"}': 2,
    });
  });

  it('has one series for all that is not there, however many paths and methods are made up', async () => {
    const { app } = testGateway();
    for (let i = 0; i < 50; i++) await app.inject({ method: i % 2 === 0 ? 'GET' : 'DELETE', url: `/made-up-${i}` });
    expect(samples((await app.inject('/metrics')).body, count)).toEqual({
      '{method="any",route="unknown",status="4xx"}': 50,
    });
  });

  it('does not count probes, which would be most of what is counted', async () => {
    const { app } = testGateway();
    await app.inject('/healthz');
    await app.inject('/readyz');
    expect(samples((await app.inject('/metrics')).body, count)).toEqual({});
  });

  it('is behind the token as everything else', async () => {
    const { app } = testGateway({ options: { token: 'secret', metricsToken: 'scrape' } });
    const ask = async (url: string, token?: string) =>
      (await app.inject({ url, headers: token === undefined ? {} : { authorization: `Bearer ${token}` } })).statusCode;
    expect(await ask('/metrics')).toBe(401);
    expect(await ask('/metrics', 'guessed')).toBe(401);
    expect(await ask('/metrics', 'secret')).toBe(200);
    expect(await ask('/metrics', 'scrape')).toBe(200);
    expect(await ask('/v1/index/info', 'scrape')).toBe(401);
    expect(await ask('/metrics/../v1/index/info', 'scrape')).toBe(401);
  });

  it('is open where that was asked for, and nothing else is', async () => {
    const { app } = testGateway({ options: { token: 'secret', metricsOpen: true } });
    expect((await app.inject('/metrics')).statusCode).toBe(200);
    expect((await app.inject('/metricss')).statusCode).toBe(401);
    expect((await app.inject('/v1/index/info')).statusCode).toBe(401);
  });

  it('is not let in by a token for metrics alone where no other is set', async () => {
    const { app } = testGateway({ options: { metricsToken: 'scrape' } });
    expect((await app.inject('/metrics')).statusCode).toBe(401);
    expect((await app.inject(search)).statusCode).toBe(200);
  });
});

describe('the line of a request', () => {
  it('lesson 18, reference 10.50: is one for each request, with its trace, tracing or not', async () => {
    const { app, requestLines } = testGateway();
    const headers = { 'x-lakehouse-trace-id': 'mine' };
    const answered = await app.inject({ ...search, headers });
    expect(answered.headers['x-lakehouse-trace-id']).toBe('mine');
    await app.inject('/nowhere');
    await app.inject('/healthz');
    expect(requestLines).toMatchObject([
      {
        method: 'POST',
        route: '/v1/matrix/search',
        status: 200,
        traceId: 'mine',
        bytesIn: 2,
        bytesOut: 2,
        gone: false,
      },
      { method: 'GET', route: 'unknown', status: 404, traceId: 'trace-1' },
    ]);
    expect(requestLines).toHaveLength(2);
  });
});
