import { Agent, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** What honest clients met. */
export interface HonestFindings {
  readonly answered: number;
  /** Requests that had no answer: the connection broke, or the deadline passed. */
  readonly unanswered: number;
  readonly statuses: ReadonlyMap<number, number>;
  /** From the moment at which a request was due. */
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface HonestOptions {
  readonly url: string;
  /** Connections that are kept open, and used in turn. */
  readonly connections: number;
  readonly requestsPerSecond: number;
  readonly body: string;
}

const answerDeadlineMs = 15_000;
const tickMs = 10;
const connectTogether = 50;

/** Honest clients: they send at a rate, whether they are answered or not, each waiting for its own answer. */
export interface HonestClients {
  /** Sends for so long and waits for what was sent. */
  sendFor(durationMs: number): Promise<HonestFindings>;
  close(): void;
}

/** Opens every connection first, by a request on each. */
export async function startHonest({
  url,
  connections,
  requestsPerSecond,
  body,
}: HonestOptions): Promise<HonestClients> {
  // First in, first out: every connection is used, and none is idle for long.
  const agent = new Agent({
    keepAlive: true,
    maxSockets: connections,
    maxFreeSockets: connections,
    scheduling: 'fifo',
  });
  const ask = () => statusOf(`${url}/v1/matrix/search`, agent, body);
  for (let open = 0; open < connections; open += connectTogether)
    await Promise.all(Array.from({ length: Math.min(connectTogether, connections - open) }, ask));
  return {
    sendFor: async (durationMs) => {
      const latencies: number[] = [];
      const statuses = new Map<number, number>();
      const asked: Promise<void>[] = [];
      const askOnce = async (dueMs: number) => {
        const status = await ask();
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        if (status !== 0) latencies.push(performance.now() - dueMs);
      };
      const began = performance.now();
      for (let sent = 0; performance.now() - began < durationMs; await delay(tickMs)) {
        const due = Math.floor(((performance.now() - began) * requestsPerSecond) / 1_000);
        for (; sent < due; sent++) asked.push(askOnce(began + (sent * 1_000) / requestsPerSecond));
      }
      await Promise.all(asked);
      latencies.sort((one, other) => one - other);
      const at = (part: number) => Math.round((latencies[Math.floor(latencies.length * part)] ?? 0) * 10) / 10;
      const answered = latencies.length;
      return { answered, unanswered: asked.length - answered, statuses, p50Ms: at(0.5), p99Ms: at(0.99) };
    },
    close: () => agent.destroy(),
  };
}

/** The status of the answer; 0 where none came. */
function statusOf(url: string, agent: Agent, body: string): Promise<number> {
  return new Promise((resolve) => {
    const sent = request(url, { agent, method: 'POST', headers: { 'content-type': 'application/json' } }, (answer) => {
      answer.resume();
      answer.once('close', () => resolve(answer.complete ? (answer.statusCode ?? 0) : 0));
    });
    sent.setTimeout(answerDeadlineMs, () => sent.destroy());
    sent.once('error', () => resolve(0));
    sent.end(body);
  });
}

/** A client that speaks bytes, as it likes. */
export interface RawClient {
  readonly socket: Socket;
  /** Statuses of what was answered so far. */
  readonly statuses: () => number[];
}

export function startRaw(url: string, bytes: string | Buffer): RawClient {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  let text = '';
  let begun: number[] = [];
  socket.setEncoding('latin1').on('data', (part: string) => {
    text += part;
    begun = [...begun, ...[...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status))];
    // What may be the beginning of another status line.
    text = text.slice(-12).replace(/HTTP\/1\.1 \d{3} /g, '');
  });
  socket.on('error', () => undefined);
  if (bytes.length > 0) socket.write(bytes);
  return { socket, statuses: () => begun };
}

/** A request as it stands on the wire. */
export function wire(method: string, target: string, body = '', headers: readonly string[] = []): string {
  const length = method === 'GET' ? [] : [`Content-Length: ${Buffer.byteLength(body)}`];
  return [`${method} ${target} HTTP/1.1`, 'Host: gateway', ...length, ...headers, '', body].join('\r\n');
}
