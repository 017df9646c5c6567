import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../streams/testing/eventually.ts';
import { reply, type TestGateway, testGateway } from '../app-fixtures.ts';
import { gatewayLimits } from '../limits.ts';
import { portOf } from './requests.ts';

const requestsWaitingMax = 50;
const pipelined = 400;
const large = reply(200, { text: 'x'.repeat(1024 * 1024) });

/** Clients that send many requests in one piece and read none of the answers. */
describe('clients that do not read', () => {
  let gateway: TestGateway;
  let port = 0;
  const sockets: Socket[] = [];
  beforeAll(async () => {
    const answer = ({ subject }: { subject: string }) => (subject === 'svc.index.digest' ? large : reply(200, {}));
    gateway = testGateway({ options: { token: 'right', requestsWaitingMax }, answer });
    await gateway.app.listen({ host: '127.0.0.1', port: 0 });
    port = portOf(gateway);
  });
  afterAll(async () => {
    for (const socket of sockets) socket.destroy();
    await gateway.app.close();
  });

  async function sendAndNotRead(target: string, header: string): Promise<Socket> {
    const socket = connect({ host: '127.0.0.1', port });
    sockets.push(socket);
    socket.pause();
    await once(socket, 'connect');
    socket.write(`GET ${target} HTTP/1.1\r\nHost: gateway\r\n${header}\r\n\r\n`.repeat(pipelined));
    return socket;
  }

  it.each([
    ['of an open page, without a token', '/docs/swagger-ui-bundle.js', 'X: y'],
    ['of large answers', '/v1/index/digest', 'Authorization: Bearer right'],
  ])('take nobody’s place, and hold no copies: %s', async (_, target, header) => {
    const before = process.memoryUsage().arrayBuffers;
    await Promise.all([1, 2, 3].map(() => sendAndNotRead(target, header)));
    const headers = { authorization: 'Bearer right' };
    for (let asked = 0; asked < 20; asked++) {
      const answer = await fetch(`http://127.0.0.1:${port}/v1/index/info`, { headers });
      expect(answer.status).toBe(200);
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * 1024 * 1024);
  });

  it('are told so beyond some requests, and those that are read are answered', async () => {
    const socket = await sendAndNotRead('/v1/index/info', 'Authorization: Bearer right');
    let text = '';
    socket.setEncoding('latin1').on('data', (part: string) => {
      text += part;
    });
    socket.resume();
    await eventually('all are answered', () => text.match(/HTTP\/1\.1 /g)?.length === pipelined);
    const statuses = [...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => status);
    expect(new Set(statuses)).toEqual(new Set(['200', '503']));
    expect(statuses.slice(0, gatewayLimits.requestsPerConnectionMax).every((status) => status === '200')).toBe(true);
    expect(text).toContain('requests of this connection are not answered yet');
  });
});

it('clients that announce much and send little take nobody’s room', async () => {
  const gateway = testGateway({ options: { bodiesBytesMax: 5_000 } });
  await gateway.app.listen({ host: '127.0.0.1', port: 0 });
  const port = portOf(gateway);
  const writers = await Promise.all(
    Array.from({ length: 10 }, async () => {
      const socket = connect({ host: '127.0.0.1', port });
      await once(socket, 'connect');
      socket.write('POST /v1/matrix/search HTTP/1.1\r\nHost: gateway\r\nContent-Length: 4000\r\n\r\n{');
      return socket;
    }),
  );
  try {
    const ask = () => fetch(`http://127.0.0.1:${port}/v1/matrix/search`, { method: 'POST', body: ' '.repeat(4_000) });
    // By the last one every announcement has been read.
    for (let asked = 0; asked < 10; asked++) expect((await ask()).status).toBe(200);
    expect(gateway.asked).toHaveLength(10);
  } finally {
    for (const socket of writers) socket.destroy();
    await gateway.app.close();
  }
});
