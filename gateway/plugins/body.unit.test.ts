import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import { type TestGateway, type TestGatewayOptions, testGateway } from '../app-fixtures.ts';

const open: TestGateway[] = [];
afterEach(async () => {
  for (const { app } of open.splice(0)) await app.close();
});

/** A gateway on a port of its own: bodies are a matter of sockets. */
async function listening(given: TestGatewayOptions = {}): Promise<TestGateway & { port: number }> {
  const gateway = testGateway(given);
  open.push(gateway);
  await gateway.app.listen({ host: '127.0.0.1', port: 0 });
  const address = gateway.app.server.address();
  if (address === null || typeof address === 'string') throw new Error('it does not listen on a port');
  return { ...gateway, port: address.port };
}

function post(port: number, headers: Record<string, string | number>): ClientRequest {
  return request({ host: '127.0.0.1', port, method: 'POST', path: '/v1/matrix/search', headers });
}

async function answerTo(
  sent: ClientRequest,
): Promise<{ status: number; headers: IncomingMessage['headers']; body: string }> {
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  return { status: response.statusCode ?? 0, headers: response.headers, body: await text(response) };
}

describe('takeBodies', () => {
  it('reference 10.14: refuses an announced length that is too large before any of it is sent', async () => {
    const { port, asked } = await listening();
    const sent = post(port, { 'content-length': 1_000_000_000 });
    sent.flushHeaders();
    const { status, headers, body } = await answerTo(sent);
    sent.destroy();
    expect(status).toBe(413);
    expect(headers['content-type']).toBe('application/problem+json');
    expect(JSON.parse(body)).toMatchObject({ code: 'payload_too_large', body_bytes_max: 4_096 });
    expect(asked).toEqual([]);
  });

  it('takes a body of exactly the limit, and none of a byte more', async () => {
    const { app } = testGateway();
    const send = (bytes: number) => app.inject({ method: 'POST', url: '/v1/matrix/search', body: Buffer.alloc(bytes) });
    expect((await send(4_096)).statusCode).toBe(200);
    expect((await send(4_097)).statusCode).toBe(413);
  });

  it('takes no more bodies at once than their bytes may be, and takes them again when those are answered', async () => {
    let answer = () => {};
    const answered = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const { app, asked } = testGateway({
      options: { bodiesBytesMax: 5_000 },
      answer: async () => {
        await answered;
        return { status: 200, headers: {}, body: Buffer.from('{}') };
      },
    });
    const send = (bytes: number, payload: Buffer | Readable = Buffer.alloc(bytes)) =>
      app
        .inject({ method: 'POST', url: '/v1/matrix/search', payload, headers: { 'content-type': 'application/json' } })
        .then((response) => response);
    const first = send(3_000);
    await expect.poll(() => asked.length).toBe(1);
    for (const late of [await send(3_000), await send(0, Readable.from([Buffer.alloc(1_500), Buffer.alloc(1_500)]))]) {
      expect(late.statusCode).toBe(503);
      expect(late.headers['retry-after']).toBe('1');
      expect(late.json()).toMatchObject({
        code: 'overloaded',
        detail: expect.stringContaining('LAKEHOUSE_BODIES_BYTES_MAX'),
      });
    }
    const second = send(2_000);
    await expect.poll(() => asked.length).toBe(2);
    expect((await app.inject('/healthz')).statusCode).toBe(200);
    answer();
    expect((await first).statusCode).toBe(200);
    expect((await second).statusCode).toBe(200);
    expect((await send(4_000)).statusCode).toBe(200);
  });

  it('gets its refusal to a client that goes on sending', async () => {
    const { port } = await listening();
    const response = await fetch(`http://127.0.0.1:${port}/v1/matrix/search`, {
      method: 'POST',
      body: Buffer.alloc(8 * 1024 * 1024),
    });
    expect(response.status).toBe(413);
    expect(await response.json()).toMatchObject({ code: 'payload_too_large' });
  });

  it('reference 10.14: cuts a chunked body off at the limit, and tells its client', async () => {
    const { port, asked } = await listening();
    const sent = post(port, { 'transfer-encoding': 'chunked' });
    const answered = answerTo(sent);
    for (let chunk = 0; chunk < 16; chunk++) sent.write(Buffer.alloc(1_024));
    sent.end();
    expect((await answered).status).toBe(413);
    expect(asked).toEqual([]);
  });

  it('lets a client go on that asked whether it may, and not one whose body is too large', async () => {
    const { port, asked } = await listening();
    const good = post(port, { 'content-length': 2, expect: '100-continue' });
    good.flushHeaders();
    const goodAnswer = answerTo(good);
    await Promise.race([once(good, 'continue'), goodAnswer]);
    good.end('{}');
    expect((await goodAnswer).status).toBe(200);
    expect(asked).toHaveLength(1);

    const large = post(port, { 'content-length': 8_000, expect: '100-continue' });
    let granted = false;
    large.on('continue', () => {
      granted = true;
    });
    large.flushHeaders();
    const refused = await answerTo(large);
    large.destroy();
    expect(refused).toMatchObject({ status: 413, headers: { connection: 'close' } });
    expect(granted).toBe(false);
  });

  it('does not ask for the body of a client without a token', async () => {
    const { port } = await listening({ options: { token: 'secret' } });
    const sent = post(port, { 'content-length': 2, expect: '100-continue' });
    let granted = false;
    sent.on('continue', () => {
      granted = true;
    });
    sent.flushHeaders();
    expect((await answerTo(sent)).status).toBe(401);
    sent.destroy();
    expect(granted).toBe(false);
  });

  it('answers what is no HTTP with a problem', async () => {
    const { port } = await listening();
    const socket = connect(port, '127.0.0.1');
    socket.write('this is no request\r\n\r\n');
    const answered = await text(socket);
    expect(answered).toMatch(/^HTTP\/1\.1 400 /);
    expect(answered).toContain('"code":"bad_request"');
  });

  it('answers headers that are too large with a problem', async () => {
    const { port } = await listening();
    const { status, body } = await answerTo(post(port, { 'x-long': 'x'.repeat(20_000) }).end());
    expect(status).toBe(431);
    expect(JSON.parse(body)).toMatchObject({ code: 'headers_too_large' });
  });

  it('counts a client that goes away as no longer in work, and tells that it did', async () => {
    let reached = () => {};
    const isAsked = new Promise<void>((resolve) => {
      reached = resolve;
    });
    let hangs = true;
    const { port, operations } = await listening({
      options: { requestsWaitingMax: 1 },
      answer: () => {
        reached();
        return hangs ? new Promise(() => {}) : { status: 200, headers: {}, body: Buffer.from('{}') };
      },
    });
    const gone = post(port, {});
    gone.on('error', () => {});
    gone.end('{}');
    await isAsked;
    gone.destroy();
    await expect
      .poll(() => operations)
      .toMatchObject([{ success: false, error: expect.stringContaining('went away') }]);
    hangs = false;
    expect((await answerTo(post(port, {}).end('{}'))).status).toBe(200);
  });
});
