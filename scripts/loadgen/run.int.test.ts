import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { runLoad } from './run.ts';

const servers: Server[] = [];

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return `http://127.0.0.1:${port}/v1/matrix/search`;
}

afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

async function textOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text;
}

/** A listener that reads the body first and answers by it. */
const answering =
  (answer: (text: string, response: ServerResponse, request: IncomingMessage) => void): RequestListener =>
  (request, response) => {
    textOf(request).then(
      (text) => answer(text, response, request),
      () => response.destroy(),
    );
  };

const bodies = ['a', 'b', 'c'].map((text) => Buffer.from(text));

describe('runLoad', () => {
  it('sends as many requests as asked, in rotation, over as many connections as asked', async () => {
    const seen = new Map<string, number>();
    const sockets = new Set<unknown>();
    const url = await serve(
      answering((text, response, request) => {
        seen.set(`${request.method} ${text}`, (seen.get(`${request.method} ${text}`) ?? 0) + 1);
        sockets.add(request.socket);
        expect(request.headers.authorization).toBe('Bearer t');
        response.end('{"results":[]}');
      }),
    );
    const report = await runLoad({ url, bodies, headers: { authorization: 'Bearer t' }, concurrency: 4, requests: 90 });
    expect(report).toMatchObject({
      requests: 90,
      ok: 90,
      statuses: { '200': 90 },
      transportErrors: 0,
      unsent: 0,
      rate: null,
    });
    expect(Object.fromEntries(seen)).toEqual({ 'POST a': 30, 'POST b': 30, 'POST c': 30 });
    expect(sockets.size).toBe(4);
    expect(report.latencyMs?.count).toBe(90);
    expect(report.rps).toBeGreaterThan(0);
  });

  it('counts statuses, and keeps the connection over a refusal', async () => {
    let count = 0;
    const url = await serve(
      answering((_text, response) => {
        count += 1;
        response.writeHead(count % 3 === 0 ? 503 : 200).end('x');
      }),
    );
    const report = await runLoad({ url, bodies, concurrency: 1, requests: 30 });
    expect(report).toMatchObject({ requests: 30, ok: 20, statuses: { '200': 20, '503': 10 }, transportErrors: 0 });
    expect(report.latencyMs?.count).toBe(20);
  });

  it('counts a reset connection as a transport error and goes on with a new one', async () => {
    let count = 0;
    const url = await serve(
      answering((_text, response, request) => {
        count += 1;
        if (count % 5 === 0) request.socket.resetAndDestroy();
        else response.end('x');
      }),
    );
    const report = await runLoad({ url, bodies, concurrency: 2, requests: 20 });
    expect(report).toMatchObject({ requests: 20, ok: 16, transportErrors: 4, failures: { ECONNRESET: 4 } });
  });

  it('counts a response that breaks off as a transport error', async () => {
    const url = await serve(
      answering((_text, response, request) => {
        response.writeHead(200, { 'content-length': '100' });
        response.write('half', () => request.socket.destroy());
      }),
    );
    const report = await runLoad({ url, concurrency: 1, requests: 2 });
    expect(report).toMatchObject({ requests: 2, ok: 0, statuses: {}, transportErrors: 2, latencyMs: null });
  });

  it('reports a server that is not there', async () => {
    const url = await serve(() => {});
    const [server] = servers.splice(0);
    await new Promise((resolve) => server?.close(resolve));
    const report = await runLoad({ url, concurrency: 2, requests: 4 });
    expect(report).toMatchObject({ requests: 4, transportErrors: 4, failures: { ECONNREFUSED: 4 }, rps: 0 });
  });

  it('opens a new connection where the server closes each one', async () => {
    const url = await serve(answering((_text, response) => response.writeHead(200, { connection: 'close' }).end('x')));
    expect(await runLoad({ url, bodies, concurrency: 2, requests: 10 })).toMatchObject({ ok: 10, transportErrors: 0 });
  });

  it('reads chunked responses', async () => {
    const url = await serve(
      answering((_text, response) => {
        response.write('part one,');
        response.end('part two');
      }),
    );
    expect(await runLoad({ url, concurrency: 2, requests: 20 })).toMatchObject({ ok: 20, transportErrors: 0 });
  });

  it('ends by time', async () => {
    const url = await serve(answering((_text, response) => response.end('x')));
    const report = await runLoad({ url, bodies, concurrency: 2, durationMs: 100 });
    expect(report.elapsedMs).toBeGreaterThanOrEqual(100);
    expect(report.ok).toBe(report.requests);
    expect(report.ok).toBeGreaterThan(0);
  });

  it('sends the intended number in an open loop', async () => {
    let count = 0;
    const url = await serve(
      answering((_text, response) => {
        count += 1;
        response.end('x');
      }),
    );
    const report = await runLoad({ url, bodies, concurrency: 5, rate: 400, durationMs: 250 });
    expect(count).toBe(100);
    expect(report).toMatchObject({ requests: 100, ok: 100, unsent: 0, rate: 400 });
    expect(report.sendLagMs?.count).toBe(100);
    expect(report.elapsedMs).toBeGreaterThanOrEqual(247.5);
  });

  it('counts the time that requests waited behind a stalled one in an open loop', async () => {
    // The first answer comes only when the stall is over; those that fell due meanwhile are late by what is left of it.
    const stallMs = 200;
    let count = 0;
    const url = await serve(
      answering((_text, response) => {
        count += 1;
        if (count === 1) setTimeout(() => response.end('x'), stallMs);
        else response.end('x');
      }),
    );
    const report = await runLoad({ url, concurrency: 1, rate: 100, requests: 20 });
    expect(report.ok).toBe(20);
    // A closed loop would have seen one slow request of twenty: half of these waited 100 ms or more.
    expect(report.latencyMs?.p50).toBeGreaterThan(stallMs * 0.4);
  });

  it('stops when told to, after what is under way', async () => {
    const stop = new AbortController();
    const url = await serve(
      answering((_text, response) => {
        stop.abort();
        response.end('x');
      }),
    );
    const report = await runLoad({ url, concurrency: 3, durationMs: 60_000, signal: stop.signal });
    expect(report.ok).toBe(report.requests);
    expect(report.requests).toBeLessThan(100);
  });

  it('refuses options that make no sense', async () => {
    const url = 'http://127.0.0.1:1/';
    await expect(runLoad({ url, concurrency: 1 })).rejects.toThrow(/needs an end/);
    await expect(runLoad({ url, concurrency: 0, requests: 1 })).rejects.toThrow(RangeError);
    await expect(runLoad({ url, concurrency: 1, requests: 1, rate: 0 })).rejects.toThrow(RangeError);
    await expect(runLoad({ url: 'https://127.0.0.1/', concurrency: 1, requests: 1 })).rejects.toThrow(/plain HTTP/);
  });
});
