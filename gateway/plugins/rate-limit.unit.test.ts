import { describe, expect, it } from 'vitest';
import { testGateway } from '../app-fixtures.ts';

const rateLimit = { requests: 2, windowMs: 60_000 };
const url = '/v1/matrix/search';

function client(options: Parameters<typeof testGateway>[0]) {
  const gateway = testGateway(options);
  const send = (given: { token?: string; remoteAddress?: string; path?: string } = {}) =>
    gateway.app.inject({
      method: 'POST',
      url: given.path ?? url,
      body: '{}',
      ...(given.remoteAddress === undefined ? {} : { remoteAddress: given.remoteAddress }),
      headers: given.token === undefined ? {} : { authorization: `Bearer ${given.token}` },
    });
  const statuses = async (count: number, given: Parameters<typeof send>[0] = {}) => {
    const found: number[] = [];
    for (let i = 0; i < count; i++) found.push((await send(given)).statusCode);
    return found;
  };
  return { ...gateway, send, statuses };
}

describe('limitRate', () => {
  it('is off unless it is asked for', async () => {
    expect(await client({}).statuses(20)).toEqual(Array.from({ length: 20 }, () => 200));
  });

  it('refuses beyond the limit with a problem that says when to come again', async () => {
    const { send, statuses, asked } = client({ options: { rateLimit } });
    expect(await statuses(2)).toEqual([200, 200]);
    const refused = await send();
    expect(refused.statusCode).toBe(429);
    expect(refused.headers['content-type']).toBe('application/problem+json');
    expect(refused.json()).toMatchObject({ code: 'rate_limited' });
    expect(Number(refused.headers['retry-after'])).toBeGreaterThanOrEqual(1);
    expect(Number(refused.headers['retry-after'])).toBeLessThanOrEqual(60);
    expect(asked).toHaveLength(2);
  });

  it('counts each address by itself, and each token, wherever it comes from', async () => {
    const { statuses } = client({ options: { rateLimit, token: 'one', secondaryTokens: ['two'] } });
    expect(await statuses(3, { token: 'one', remoteAddress: '10.0.0.1' })).toEqual([200, 200, 429]);
    expect(await statuses(1, { token: 'one', remoteAddress: '10.0.0.2' })).toEqual([429]);
    expect(await statuses(3, { token: 'two', remoteAddress: '10.0.0.1' })).toEqual([200, 200, 429]);
    const open = client({ options: { rateLimit } });
    expect(await open.statuses(3, { remoteAddress: '10.0.0.1' })).toEqual([200, 200, 429]);
    expect(await open.statuses(1, { remoteAddress: '10.0.0.2' })).toEqual([200]);
  });

  it('limits those who guess tokens, however many they try', async () => {
    const { send } = client({ options: { rateLimit, token: 'one' } });
    const found: number[] = [];
    for (let i = 0; i < 4; i++) found.push((await send({ token: `guess-${i}` })).statusCode);
    expect(found).toEqual([401, 401, 429, 429]);
  });

  it('counts paths that are not there', async () => {
    expect(await client({ options: { rateLimit } }).statuses(3, { path: '/nowhere' })).toEqual([404, 404, 429]);
  });

  it('never refuses health checks, and does not count them', async () => {
    const { app, statuses } = client({ options: { rateLimit } });
    for (let i = 0; i < 5; i++) expect((await app.inject('/healthz')).statusCode).toBe(200);
    expect(await statuses(3)).toEqual([200, 200, 429]);
    expect((await app.inject('/healthz')).statusCode).toBe(200);
  });
});
