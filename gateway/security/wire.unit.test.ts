import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type TestGateway, testGateway } from '../app-fixtures.ts';
import { portOf } from './requests.ts';

let gateway: TestGateway;
let port = 0;
beforeAll(async () => {
  gateway = testGateway({ options: { token: 'right' } });
  await gateway.app.listen({ host: '127.0.0.1', port: 0 });
  port = portOf(gateway);
});
beforeEach(() => void gateway.asked.splice(0));
afterAll(() => gateway.app.close());

/** Sends bytes as they are; the statuses of what is answered until the gateway ends the connection. */
async function send(...lines: readonly string[]): Promise<{ statuses: number[]; text: string }> {
  const socket = connect({ host: '127.0.0.1', port });
  let text = '';
  socket.setEncoding('latin1').on('data', (part: string) => {
    text += part;
  });
  socket.on('error', () => undefined);
  // What follows ends the connection of a server that reads requests where they are.
  socket.end(lines.join('\r\n'), 'latin1');
  await once(socket, 'close');
  return { statuses: [...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => Number(status)), text };
}

const host = 'Host: gateway';
const right = 'Authorization: Bearer right';
const close = 'Connection: close';
const get = (target: string, ...headers: string[]) => send(`GET ${target} HTTP/1.1`, host, ...headers, close, '', '');

describe('tricks with the token', () => {
  it.each([
    ['a wrong one before the right one', 'Authorization: Bearer wrong', right],
    ['an empty one before the right one', 'Authorization:', right],
    ['the right one in another header', 'Proxy-Authorization: Bearer right', 'X-Authorization: Bearer right'],
    ['two in one', 'Authorization: Bearer wrong, Bearer right', 'Cookie: token=right'],
    ['one folded over two lines', 'Authorization: Bearer', ' right'],
  ])('%s lets nobody in', async (_, ...headers) => {
    const { statuses } = await get('/v1/index/info', ...headers);
    expect([[401], [400]]).toContainEqual(statuses);
    expect(gateway.asked).toEqual([]);
  });

  it.each(['?token=right', '?access_token=right', '?authorization=Bearer%20right'])('%s is no token', async (query) => {
    expect((await get(`/v1/index/info${query}`)).statuses).toEqual([401]);
  });

  it('takes the first of two, as it stands first (the control: the right one is let in)', async () => {
    expect((await get('/v1/index/info', right)).statuses).toEqual([200]);
    expect((await get('/v1/index/info', right, 'Authorization: Bearer wrong')).statuses).toEqual([200]);
  });
});

describe('tricks with the target', () => {
  it.each([
    '/healthz/../v1/index/info',
    '/healthz/..%2fv1/index/info',
    '/healthz%2f..%2fv1%2findex%2finfo',
    '/healthz;/../v1/index/info',
    '/healthz%00',
    '/healthz%3f',
    '//healthz',
    '/./healthz',
    '/HEALTHZ',
    '/%68ealthz',
    '/docs/..%2fv1/index/info',
    '/docs/%2e%2e/v1/index/info',
    'http://gateway/healthz',
    'http://gateway/v1/index/info',
    'http://healthz/v1/index/info',
    '/v1/index/info#/healthz',
    '/v1/index/info?/healthz',
    '/v1/index/info;/healthz',
    '*',
  ])('%s opens nothing', async (target) => {
    const { statuses } = await get(target);
    expect([[401], [400]]).toContainEqual(statuses);
    expect(gateway.asked).toEqual([]);
  });

  it('an absolute target is the path in it, whoever it names', async () => {
    expect((await get('http://elsewhere/v1/index/info', right)).statuses).toEqual([200]);
    expect(gateway.asked.map(({ subject }) => subject)).toEqual(['svc.index.info']);
  });

  it.each(['/v1/ingest/%', '/v1/ingest/%zz', '/v1/ingest/%c0%ae', '/v1/corpora/workers/documents/%ff'])(
    '%s can not be decoded: a 400',
    async (target) => expect((await get(target, right)).statuses).toEqual([400]),
  );
});

describe('requests within requests', () => {
  const smuggled = `GET /v1/index/digest HTTP/1.1\r\n${host}\r\n${right}\r\n\r\n`;
  const post = (...headers: string[]) =>
    send('POST /v1/matrix/search HTTP/1.1', host, right, ...headers, '', `0\r\n\r\n${smuggled}`);

  it.each([
    ['length and chunks', 'Content-Length: 3', 'Transfer-Encoding: chunked'],
    ['chunks and length', 'Transfer-Encoding: chunked', 'Content-Length: 3'],
    ['two lengths', 'Content-Length: 3', 'Content-Length: 7'],
    ['a list of lengths', 'Content-Length: 3, 7'],
    ['a signed length', 'Content-Length: +3'],
    ['a negative length', 'Content-Length: -1'],
    ['a length in hex', 'Content-Length: 0x3'],
    ['a length beyond numbers', `Content-Length: ${'9'.repeat(30)}`],
    ['an encoding that is none', 'Transfer-Encoding: xchunked'],
    ['chunks that are not the last encoding', 'Transfer-Encoding: chunked, identity'],
    ['chunks by a name with a blank', 'Transfer-Encoding : chunked'],
    ['chunks by a folded header', 'Transfer-Encoding:', ' chunked', 'Content-Length: 3'],
    ['a bare line feed in a header', 'X: a\nTransfer-Encoding: chunked'],
    ['a NUL in a header', 'X: a\0b'],
  ])('%s: the connection is refused, and nothing behind it is read', async (_, ...headers) => {
    const { statuses } = await post(...headers);
    expect(statuses).toEqual([400]);
    expect(gateway.asked).toEqual([]);
  });

  it('the same bytes with honest chunks are two requests (the control)', async () => {
    expect((await post('Transfer-Encoding: chunked')).statuses).toEqual([200, 200]);
    expect(gateway.asked.map(({ subject }) => subject).sort()).toEqual(['svc.index.digest', 'svc.matrix.search']);
  });
});

describe('headers without end', () => {
  it.each([
    ['one that is long', [`X: ${'x'.repeat(100_000)}`]],
    ['a long token', [`Authorization: Bearer ${'x'.repeat(100_000)}`]],
    ['many', Array.from({ length: 20_000 }, (_, place) => `X-${place}: x`)],
    ['a long target', []],
  ])('%s: 431, and the connection ends', async (what, headers) => {
    const target = what === 'a long target' ? `/${'x'.repeat(100_000)}` : '/v1/index/info';
    expect((await get(target, ...headers)).statuses).toEqual([431]);
  });

  it.each(['VECTORS=1,'.repeat(1_000), '__proto__=1', 'VECTORS=99999999999999999', 'VECTORS=-1', '\x7f'])(
    'a position of %j is malformed: a 400',
    async (position) =>
      expect((await get('/v1/index/info', right, `X-Lakehouse-Position: ${position}`)).statuses).toEqual([400]),
  );
});
