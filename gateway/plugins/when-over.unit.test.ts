import { once } from 'node:events';
import { connect } from 'node:net';
import fastify from 'fastify';
import { afterEach, describe, expect, it } from 'vitest';
import { createGate } from '../../streams/testing/gate.ts';
import { watchEnds } from './when-over.ts';

describe('the end of a request', () => {
  const app = fastify();
  const ended: string[] = [];
  const held = createGate();
  const asked = createGate();
  const whenOver = watchEnds(app);
  whenOver((request, reply) => ended.push(`first ${request.url} ${reply.statusCode}`));
  whenOver((request) => ended.push(`second ${request.url}`));
  app.addHook('onRequest', (request, _reply, done) => done(request.url === '/refused' ? new Error('no') : undefined));
  app.get('/answered', async () => 'yes');
  app.get('/refused', async () => 'never');
  app.get('/held', async () => {
    asked.open();
    await held.opened;
    return 'late';
  });
  afterEach(async () => {
    ended.length = 0;
  });

  it.each([
    ['/answered', 200],
    ['/refused', 500],
  ])('is told once to each who asked, in their order: %s', async (url, status) => {
    await app.inject(url);
    expect(ended).toEqual([`first ${url} ${status}`, `second ${url}`]);
  });

  it('is told where the client goes away before its answer', async () => {
    await app.listen({ host: '127.0.0.1', port: 0 });
    const { port } = app.server.address() as { port: number };
    const gone = new Promise<void>((resolve) => whenOver(() => resolve()));
    const socket = connect({ host: '127.0.0.1', port });
    await once(socket, 'connect');
    socket.write('GET /held HTTP/1.1\r\nHost: gateway\r\n\r\n');
    await asked.opened;
    socket.destroy();
    await gone;
    expect(ended).toEqual(['first /held 200', 'second /held']);
    held.open();
    await app.close();
  });
});
