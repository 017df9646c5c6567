import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * What happens to one request on its way to S3.
 * - `unavailable`: answered with 503 by the proxy
 * - `cut`: the answer's body breaks off after half of it
 * - `stalled`: half of the answer's body comes, then nothing more, and the connection stays
 * - `dropped`: the connection is closed without an answer
 */
export type WireFault = 'unavailable' | 'cut' | 'stalled' | 'dropped';
export const wireFaults: readonly WireFault[] = ['unavailable', 'cut', 'stalled', 'dropped'];

export interface FaultyProxy extends AsyncDisposable {
  readonly url: string;
  /** Requests since it was started. */
  readonly requests: () => number;
  /** The fault of the requests that match from now on, each asked with its number. */
  failWith(choose: (method: string, place: number) => WireFault | undefined): void;
}

/** A proxy before an S3 service that hands everything on as it is, signatures and all, and fails as it is told to. */
export async function startFaultyProxy(target: string): Promise<FaultyProxy> {
  let choose: (method: string, place: number) => WireFault | undefined = () => undefined;
  let count = 0;
  const server = createServer((incoming, response) => {
    const fault = choose(incoming.method ?? '', count++);
    if (fault === 'dropped') return void incoming.socket.destroy();
    if (fault === 'unavailable') {
      incoming.resume();
      response.writeHead(503, { 'content-type': 'application/xml' });
      return void response.end('<?xml version="1.0"?><Error><Code>SlowDown</Code><Message>injected</Message></Error>');
    }
    handOn(target, incoming, response, fault);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    requests: () => count,
    failWith: (chosen) => {
      choose = chosen;
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function handOn(
  target: string,
  incoming: IncomingMessage,
  response: ServerResponse,
  fault: 'cut' | 'stalled' | undefined,
): void {
  const outgoing = request(
    new URL(incoming.url ?? '/', target),
    { method: incoming.method, headers: incoming.headers },
    (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      response.flushHeaders();
      if (fault === undefined) return void answer.pipe(response);
      const half = Math.floor(Number(answer.headers['content-length'] ?? 0) / 2);
      let sent = 0;
      answer.on('data', (piece: Buffer) => {
        if (sent < half) response.write(piece.subarray(0, half - sent));
        sent += piece.byteLength;
      });
      answer.on('end', () => {
        if (fault === 'cut') incoming.socket.destroy();
      });
    },
  );
  outgoing.on('error', () => response.destroy());
  response.on('close', () => outgoing.destroy());
  incoming.pipe(outgoing);
}
