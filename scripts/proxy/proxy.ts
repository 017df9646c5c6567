import {
  Agent,
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream';

const loopback = '127.0.0.1';

/** Headers that speak of one connection and not of the message (RFC 9110, section 7.6.1). */
const hopByHop = ['connection', 'keep-alive', 'proxy-connection', 'te', 'transfer-encoding', 'upgrade'] as const;

export interface ProxyOptions {
  /** Where requests go: an `http:` origin. */
  readonly target: string;
  /** 0 takes a free one. */
  readonly port?: number;
  /** Kept-alive connections to the target. */
  readonly socketsMax?: number;
}

export interface RunningProxy extends AsyncDisposable {
  readonly url: string;
}

function endToEnd(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const named = headers.connection?.split(',').map((name) => name.trim().toLowerCase()) ?? [];
  const dropped = new Set<string>([...hopByHop, ...named]);
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !dropped.has(name)));
}

function refuse(response: ServerResponse, target: URL, error: Error): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const detail = `The proxy cannot reach ${target.origin}: ${error.message}. Start the gateway or correct --target.`;
  response.writeHead(502, { 'content-type': 'application/problem+json' });
  response.end(JSON.stringify({ type: 'about:blank', title: 'Bad Gateway', status: 502, detail }));
}

function passThrough(target: URL, agent: Agent, incoming: IncomingMessage, outgoing: ServerResponse): void {
  const { hostname, port } = target;
  const headers = endToEnd(incoming.headers);
  const { method, url: path } = incoming;
  const upstream = request({ hostname, port, method, path, headers, agent }, (answer) => {
    outgoing.writeHead(answer.statusCode ?? 502, endToEnd(answer.headers));
    // A failure on either side destroys both: the client sees a broken answer, never a short one that looks whole.
    pipeline(answer, outgoing, () => {});
  });
  upstream.on('error', (error) => refuse(outgoing, target, error));
  outgoing.on('close', () => {
    if (!outgoing.writableFinished) upstream.destroy();
  });
  pipeline(incoming, upstream, () => {});
}

/**
 * Starts a plain HTTP pass-through on the loopback address: what stands for the original's front proxy in load
 * reports, so that the cost of one more hop can be seen. It is no security boundary. Rejects where the port is taken.
 */
export async function startProxy(options: ProxyOptions): Promise<RunningProxy> {
  const target = new URL(options.target);
  if (target.protocol !== 'http:') throw new RangeError(`the proxy passes on plain HTTP only, not ${target.protocol}`);
  const agent = new Agent({ keepAlive: true, noDelay: true, maxSockets: options.socketsMax ?? 256 });
  const server = createServer({ noDelay: true }, (incoming, outgoing) =>
    passThrough(target, agent, incoming, outgoing),
  );
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, loopback, resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${loopback}:${port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      agent.destroy();
    },
  };
}
