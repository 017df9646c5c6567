import { describe, expect, it } from 'vitest';
import { testGateway } from '../app-fixtures.ts';
import { networkList } from './allowed-addresses.ts';

const search = { method: 'POST', url: '/v1/matrix/search', body: '{}' } as const;
const options = { allowedNetworks: ['10.0.0.0/8', '192.168.1.7', 'fd00::/8'], token: 'secret' };

describe('allowAddresses', () => {
  const ask = async (remoteAddress: string, url: string = search.url) => {
    const { app, asked } = testGateway({ options });
    const headers = { authorization: 'Bearer secret' };
    return { answer: await app.inject({ ...search, url, remoteAddress, headers }), asked };
  };

  it.each(['10.1.2.3', '192.168.1.7', 'fd12::1', '::ffff:10.1.2.3'])('answers %s', async (address) => {
    expect((await ask(address)).answer.statusCode).toBe(200);
  });

  it.each(['11.1.2.3', '192.168.1.8', '127.0.0.1', 'fe80::1', '::ffff:11.1.2.3', 'nonsense'])(
    'refuses %s, token or not, and asks no service',
    async (address) => {
      const { answer, asked } = await ask(address);
      expect(answer.statusCode).toBe(403);
      expect(answer.headers['content-type']).toBe('application/problem+json');
      expect(answer.json()).toMatchObject({ code: 'forbidden' });
      expect(asked).toEqual([]);
    },
  );

  it('tells those whom it refuses nothing of what is there', async () => {
    for (const url of ['/nowhere', '/metrics', '/openapi.json', '/v1/index/info', '/healthz/../v1/index/info'])
      expect((await ask('11.1.2.3', url)).answer.statusCode, url).toBe(403);
  });

  it('lets supervisors in from anywhere', async () => {
    const { app } = testGateway({ options });
    const probe = (url: string) => app.inject({ url, remoteAddress: '11.1.2.3' });
    expect((await probe('/healthz')).statusCode).toBe(200);
    expect((await probe('/readyz')).statusCode).toBe(503);
  });

  it('refuses before a wrong token is looked at', async () => {
    const { app } = testGateway({ options });
    const answer = await app.inject({ ...search, remoteAddress: '11.1.2.3', headers: { authorization: 'Bearer x' } });
    expect(answer.statusCode).toBe(403);
  });

  it('answers everybody where no network is named', async () => {
    const { app } = testGateway();
    expect((await app.inject({ ...search, remoteAddress: '11.1.2.3' })).statusCode).toBe(200);
  });
});

describe('networkList', () => {
  it('takes the edges of a network and nothing beyond', () => {
    const contains = networkList(['10.1.0.0/16']);
    expect(['10.1.0.0', '10.1.255.255'].map(contains)).toEqual([true, true]);
    expect(['10.0.255.255', '10.2.0.0'].map(contains)).toEqual([false, false]);
  });
});
