import { describe, expect, it } from 'vitest';
import type { Operation } from '../../schemas/operation.ts';
import { operations } from '../../schemas/operations.ts';
import { type TestGateway, testGateway } from '../app-fixtures.ts';
import { nameOf, requestOf } from './requests.ts';

const tokens = { token: 'the-new-one', secondaryTokens: ['the-old-one'], metricsToken: 'of-metrics' };
/** `/metrics` has a token of its own, and may be open: it has tests beside its route. */
const guarded = operations.filter(({ open, path }) => open !== true && path !== '/metrics');
const named = (list: readonly Operation[]) => list.map((operation) => [nameOf(operation), operation] as const);

const gateway = testGateway({ options: tokens });
const rotated = testGateway({ options: { ...tokens, secondaryTokens: [] } });
const walled = testGateway({ options: { ...tokens, allowedNetworks: ['10.0.0.0/8'] } });

async function ask(operation: Operation, authorization: string | undefined, { app, ...seen }: TestGateway = gateway) {
  for (const list of [seen.asked, seen.appended, seen.logged, seen.operations]) list.splice(0);
  const headers: Record<string, string> = authorization === undefined ? {} : { authorization };
  const answer = await app.inject({ ...requestOf(operation), headers });
  const reached = seen.asked.length + seen.appended.length;
  return { status: answer.statusCode, answer, reached, told: JSON.stringify([seen.logged, seen.operations]) };
}

describe('a token', () => {
  it('is asked for by every route but those that are told to be open', () => {
    expect(guarded.length).toBeGreaterThan(25);
    const open = operations.filter((operation) => operation.open === true).map(nameOf);
    expect(open.sort()).toEqual(['GET /healthz', 'GET /readyz']);
  });

  describe.each(named(guarded))('%s', (_, operation) => {
    it.each([
      ['none', undefined],
      ['an empty one', 'Bearer '],
      ['a wrong one', 'Bearer a-guess'],
      ['one that begins like the right one', 'Bearer the-new-on'],
      ['one that was taken out of use', 'Bearer the-first-one'],
      ['the one of metrics', 'Bearer of-metrics'],
      ['the right one as a password', `Basic ${Buffer.from('user:the-new-one').toString('base64')}`],
    ])('refuses %s, asks nobody, and repeats nothing of it', async (_what, authorization) => {
      const { status, answer, reached, told } = await ask(operation, authorization);
      expect([status, reached]).toEqual([401, 0]);
      const all = JSON.stringify([answer.body, answer.headers, told]);
      for (const secret of ['the-new-one', 'the-old-one', 'of-metrics', 'a-guess']) expect(all).not.toContain(secret);
    });

    it.each(['the-new-one', 'the-old-one'])(
      'takes %s, so that a token is changed without a moment of none',
      async (token) => {
        expect((await ask(operation, `Bearer ${token}`)).status).not.toBe(401);
      },
    );

    it('refuses the old token when it is taken out of use', async () => {
      expect((await ask(operation, 'Bearer the-old-one', rotated)).status).toBe(401);
    });

    it('is refused to a method that is none of its own, before anything is told of it', async () => {
      for (const method of ['HEAD', 'OPTIONS', 'PUT', 'PATCH'] as const) {
        const { statusCode, headers } = await gateway.app.inject({ ...requestOf(operation), method });
        expect([method, statusCode, headers.allow]).toEqual([method, 401, undefined]);
      }
    });

    it('is not answered to a network that is not allowed, whatever a proxy is said to have seen', async () => {
      const { app, asked } = walled;
      asked.splice(0);
      const forged = ['x-forwarded-for', 'x-real-ip', 'forwarded', 'x-client-ip', 'cf-connecting-ip', 'true-client-ip'];
      const headers = Object.fromEntries(
        forged.map((name) => [name, name === 'forwarded' ? 'for=10.1.2.3' : '10.1.2.3']),
      );
      const authorization = 'Bearer the-new-one';
      const from = (remoteAddress: string) =>
        app.inject({ ...requestOf(operation), remoteAddress, headers: { ...headers, authorization } });
      expect((await from('192.0.2.7')).statusCode).toBe(403);
      expect(asked).toEqual([]);
      expect((await from('10.9.9.9')).statusCode).not.toBe(403);
    });
  });

  it.each(['x-forwarded-for', 'x-real-ip', 'forwarded'])(
    'that is guessed is counted by the address of the connection, whatever %s says',
    async (name) => {
      const { app } = testGateway({ options: { ...tokens, rateLimit: { requests: 2, windowMs: 60_000 } } });
      const guess = (place: number) =>
        app.inject({
          url: '/v1/index/info',
          headers: { authorization: `Bearer guess-${place}`, [name]: `10.0.0.${place}` },
        });
      const statuses: number[] = [];
      for (let place = 0; place < 4; place++) statuses.push((await guess(place)).statusCode);
      expect(statuses).toEqual([401, 401, 429, 429]);
    },
  );
});
