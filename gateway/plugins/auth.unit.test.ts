import { describe, expect, it } from 'vitest';
import { testGateway } from '../app-fixtures.ts';

const options = { token: 'first-token', secondaryTokens: ['old-token', 'older'] };
const search = { method: 'POST', url: '/v1/matrix/search' } as const;

async function statusWith(authorization: string | undefined, path: string = search.url): Promise<number> {
  const { app } = testGateway({ options });
  const headers = authorization === undefined ? {} : { authorization };
  return (await app.inject({ method: search.method, url: path, headers })).statusCode;
}

describe('requireToken', () => {
  it.each(['Bearer first-token', 'bearer  first-token', 'Bearer old-token', 'Bearer older'])(
    'takes "%s"',
    async (given) => {
      expect(await statusWith(given)).toBe(200);
    },
  );

  it.each([
    undefined,
    '',
    'Bearer',
    'Bearer ',
    'Bearer first-toke',
    'Bearer first-token2',
    'Bearer First-token',
    'Bearer first-token older',
    'Basic first-token',
    'first-token',
  ])('refuses %j', async (given) => {
    expect(await statusWith(given)).toBe(401);
  });

  it('says how to send a token, asks no service, and repeats no token', async () => {
    const { app, asked, logged, operations } = testGateway({ options });
    const missing = await app.inject(search);
    expect(missing.headers['www-authenticate']).toBe('Bearer');
    expect(missing.headers['content-type']).toBe('application/problem+json');
    expect(missing.json()).toMatchObject({ code: 'unauthorized', detail: expect.stringContaining('Authorization') });
    const wrong = await app.inject({ ...search, headers: { authorization: 'Bearer guessed' } });
    expect(asked).toEqual([]);
    const told = JSON.stringify([missing.body, wrong.body, logged, operations]);
    for (const secret of ['guessed', 'first-token', 'older']) expect(told).not.toContain(secret);
  });

  it('guards paths that do not exist as well, and only the health checks are open', async () => {
    expect(await statusWith(undefined, '/nowhere')).toBe(401);
    expect(await statusWith(undefined, '/healthz/../v1/index/info')).toBe(401);
    const { app } = testGateway({ options });
    expect((await app.inject('/healthz')).statusCode).toBe(200);
    expect((await app.inject('/healthz?from=somewhere')).statusCode).toBe(200);
    expect((await app.inject('/readyz')).statusCode).toBe(503);
    expect((await app.inject('/healthzz')).statusCode).toBe(401);
  });

  it('wants a secondary token where that is all there is', async () => {
    const { app } = testGateway({ options: { token: undefined, secondaryTokens: ['only'] } });
    expect((await app.inject(search)).statusCode).toBe(401);
    expect((await app.inject({ ...search, headers: { authorization: 'Bearer only' } })).statusCode).toBe(200);
  });

  it('lets everybody in where no token is configured', async () => {
    expect((await testGateway().app.inject(search)).statusCode).toBe(200);
  });
});
