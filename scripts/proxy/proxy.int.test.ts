import { EventEmitter, once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { runLoad } from '../loadgen/run.ts';
import { type RunningProxy, startProxy } from './proxy.ts';

const servers: Server[] = [];
const proxies: RunningProxy[] = [];

afterEach(async () => {
  for (const proxy of proxies.splice(0)) await proxy[Symbol.asyncDispose]();
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

async function upstream(listener: RequestListener): Promise<{ readonly url: string; readonly server: Server }> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
}

async function proxyTo(target: string): Promise<string> {
  const proxy = await startProxy({ target });
  proxies.push(proxy);
  return proxy.url;
}

async function bytesOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

describe('startProxy', () => {
  it('passes method, path, headers, body and status both ways, byte for byte', async () => {
    const { url } = await upstream(async (request, response) => {
      response.writeHead(418, {
        'x-path': request.url,
        'x-method': request.method,
        'x-trace': request.headers['x-trace'],
      });
      response.end(await bytesOf(request));
    });
    const body = Buffer.from(Array.from({ length: 100_000 }, (_, at) => at % 256));
    const answer = await fetch(`${await proxyTo(url)}/v1/a?b=%20c`, {
      method: 'PUT',
      body,
      headers: { 'x-trace': 't-1' },
    });
    expect(answer.status).toBe(418);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'x-path': '/v1/a?b=%20c',
      'x-method': 'PUT',
      'x-trace': 't-1',
    });
    expect(Buffer.from(await answer.arrayBuffer()).equals(body)).toBe(true);
  });

  it('keeps its connections to the target', async () => {
    let connections = 0;
    const { url, server } = await upstream((request, response) => {
      request.resume().on('end', () => response.end('x'));
    });
    server.on('connection', () => {
      connections += 1;
    });
    const report = await runLoad({
      url: `${await proxyTo(url)}/`,
      bodies: [Buffer.from('{}')],
      concurrency: 4,
      requests: 200,
    });
    expect(report).toMatchObject({ ok: 200, transportErrors: 0 });
    expect(connections).toBeLessThanOrEqual(8);
  });

  it('does not pass on what speaks of one connection only', async () => {
    let seen: IncomingMessage['headers'] = {};
    const { url } = await upstream((request, response) => {
      seen = request.headers;
      response.end('x');
    });
    const report = await runLoad({
      url: await proxyTo(url),
      headers: { connection: 'keep-alive, x-hop', 'x-hop': '1', 'x-end': '2' },
      concurrency: 1,
      requests: 1,
    });
    expect(report.ok).toBe(1);
    expect(seen['x-end']).toBe('2');
    expect(seen['x-hop']).toBeUndefined();
  });

  it('answers 502 with what to do when the target is away', async () => {
    const { url, server } = await upstream(() => {});
    servers.length = 0;
    await new Promise((resolve) => server.close(resolve));
    const answer = await fetch(await proxyTo(url), { method: 'POST', body: '{}' });
    expect(answer.status).toBe(502);
    expect(await answer.json()).toMatchObject({ status: 502, detail: expect.stringContaining('Start the gateway') });
  });

  it('breaks off its answer when the target does', async () => {
    const { url } = await upstream((request, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('half', () => request.socket.destroy());
    });
    const report = await runLoad({ url: await proxyTo(url), concurrency: 1, requests: 2 });
    expect(report).toMatchObject({ ok: 0, transportErrors: 2 });
  });

  it('lets go of the target when the client does', async () => {
    const client = new AbortController();
    const gone = new EventEmitter();
    const letGo = once(gone, 'close');
    const { url } = await upstream((request) => {
      request.socket.once('close', () => gone.emit('close'));
      client.abort();
    });
    await expect(fetch(await proxyTo(url), { signal: client.signal })).rejects.toThrow(/abort/i);
    expect(await letGo).toEqual([]);
  });

  it('listens on the loopback address and refuses another scheme than http', async () => {
    const { url } = await upstream((_request, response) => response.end());
    expect(await proxyTo(url)).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    await expect(startProxy({ target: 'https://127.0.0.1:1' })).rejects.toThrow(RangeError);
  });
});
