import { describe, expect, it } from 'vitest';
import { testGateway } from '../app-fixtures.ts';

const url = '/v1/matrix/search';
const page = 'https://app.example.org';
const preflight = (origin: string) => ({
  method: 'OPTIONS' as const,
  url,
  headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' },
});
const allowed = 'access-control-allow-origin';

describe('allowOrigins', () => {
  it('is off unless origins are named', async () => {
    const { app } = testGateway();
    expect((await app.inject(preflight(page))).statusCode).toBe(405);
    const answer = await app.inject({ method: 'POST', url, body: '{}', headers: { origin: page } });
    expect(answer.headers[allowed]).toBeUndefined();
  });

  it('answers the preflight of a named origin without a token, and asks no service', async () => {
    const { app, asked } = testGateway({ options: { corsOrigins: [page], token: 'secret' } });
    const answer = await app.inject(preflight(page));
    expect(answer.statusCode).toBe(204);
    expect(answer.headers[allowed]).toBe(page);
    expect(answer.headers['access-control-allow-headers']).toContain('Authorization');
    expect(answer.headers['access-control-allow-credentials']).toBeUndefined();
    expect(asked).toEqual([]);
  });

  it('still wants the token of what follows, and lets the page read the refusal', async () => {
    const { app } = testGateway({ options: { corsOrigins: [page], token: 'secret' } });
    const answer = await app.inject({ method: 'POST', url, body: '{}', headers: { origin: page } });
    expect(answer.statusCode).toBe(401);
    expect(answer.headers[allowed]).toBe(page);
  });

  it('lets pages read positions and traces', async () => {
    const { app } = testGateway({ options: { corsOrigins: [page] } });
    const answer = await app.inject({ method: 'POST', url, body: '{}', headers: { origin: page } });
    expect(answer.statusCode).toBe(200);
    expect(answer.headers['access-control-expose-headers']).toContain('X-Lakehouse-Position');
  });

  it.each(['https://app.example.org.evil.org', 'http://app.example.org', 'https://other.org', 'null'])(
    'gives nothing to a page of %s',
    async (origin) => {
      const { app } = testGateway({ options: { corsOrigins: [page] } });
      const answer = await app.inject({ method: 'POST', url, body: '{}', headers: { origin } });
      expect(answer.headers[allowed]).not.toBe(origin);
      expect((await app.inject(preflight(origin))).headers[allowed]).not.toBe(origin);
    },
  );
});
