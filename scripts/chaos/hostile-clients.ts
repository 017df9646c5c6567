import { setTimeout as delay } from 'node:timers/promises';
import { type RawClient, startRaw, wire } from './http-load.ts';

/** What a hostile client does, again and again, until it is stopped. */
export const hostileWays = [
  'says nothing',
  'ends in its headers',
  'reads 64 KiB a second',
  'writes some bytes a second',
  'sends too much',
  'breaks off',
  'sends what is no request',
  'sends what is no search',
  'filters by all there is',
] as const;
export type HostileWay = (typeof hostileWays)[number];

export interface HostileFindings {
  /** Statuses by way. */
  readonly statuses: ReadonlyMap<HostileWay, ReadonlySet<number>>;
  readonly requests: number;
  readonly connections: number;
}

export interface HostileClients {
  /** Each has been answered, or let be, at least once. */
  readonly begun: () => boolean;
  stop(): Promise<HostileFindings>;
}

const search = '/v1/matrix/search';
const largeTarget = '/docs/swagger-ui-bundle.js';
/** In one piece: as many answers wait for a reader that is slow. */
export const unreadOfSlowReader = 30;
const readBytesPerSecond = 64 * 1024;
const stepMs = 100;
const announcedBytes = 1024 * 1024;
const oversizeBytes = 64 * 1024 * 1024;
const answerWaitMs = 10_000;

/** Many of them, the ways in turn. */
export function startHostile(url: string, count: number, ways: readonly HostileWay[], corpus: string): HostileClients {
  const statuses = new Map<HostileWay, Set<number>>();
  const clients = new Set<RawClient>();
  const stopping = new AbortController();
  let [requests, connections] = [0, 0];
  const visited = new Set<number>();
  const note = (way: HostileWay, client: RawClient) => {
    for (const status of client.statuses()) statuses.set(way, (statuses.get(way) ?? new Set()).add(status));
  };
  const visit = async (way: HostileWay) => {
    const client = startRaw(url, openingOf(way, corpus));
    clients.add(client);
    connections++;
    requests += way === 'reads 64 KiB a second' ? unreadOfSlowReader : 1;
    await carryOn(way, client, stopping.signal);
    note(way, client);
    client.socket.destroy();
    clients.delete(client);
  };
  const run = async (at: number) => {
    const way = ways[at % ways.length] ?? 'says nothing';
    while (!stopping.signal.aborted) {
      const visiting = visit(way);
      visited.add(at);
      await visiting;
      await delay(stepMs);
    }
  };
  const running = Promise.all(Array.from({ length: count }, (_, at) => run(at)));
  return {
    begun: () => visited.size === count,
    stop: async () => {
      stopping.abort();
      await running;
      return { statuses, requests, connections };
    },
  };
}

function openingOf(way: HostileWay, corpus: string): string {
  switch (way) {
    case 'says nothing':
      return '';
    case 'ends in its headers':
      return `POST ${search} HTTP/1.1\r\nHost: gateway\r\nContent-Le`;
    case 'reads 64 KiB a second':
      return wire('GET', largeTarget).repeat(unreadOfSlowReader);
    case 'writes some bytes a second':
      return `POST ${search} HTTP/1.1\r\nHost: gateway\r\nContent-Length: ${announcedBytes}\r\n\r\n{`;
    case 'sends too much':
      return `POST ${search} HTTP/1.1\r\nHost: gateway\r\nContent-Length: ${oversizeBytes}\r\n\r\n`;
    case 'breaks off':
      return wire('POST', search, searchBody(corpus));
    case 'sends what is no request':
      return '\0\x01\x02 what is this\r\n\r\n';
    case 'sends what is no search':
      return wire('POST', search, '{"corpora":');
    case 'filters by all there is':
      return wire('POST', search, searchBody(corpus, widestFilter));
  }
}

/** Until it is stopped, or the gateway has said what there is to say. */
async function carryOn(way: HostileWay, { socket, statuses }: RawClient, signal: AbortSignal): Promise<void> {
  if (way === 'breaks off') return;
  const began = performance.now();
  if (way === 'reads 64 KiB a second') socket.pause();
  const waits = way === 'sends too much' || way.startsWith('sends what') || way.startsWith('filters');
  while (!signal.aborted && !socket.destroyed) {
    if (waits && (statuses().length > 0 || performance.now() - began > answerWaitMs)) return;
    if (way === 'reads 64 KiB a second') readSome(socket);
    if (way === 'writes some bytes a second') socket.write(' ');
    if (way === 'sends too much' && socket.writableLength === 0) socket.write('x'.repeat(64 * 1024));
    await delay(stepMs);
  }
}

function readSome(socket: RawClient['socket']): void {
  let left = (readBytesPerSecond * stepMs) / 1_000;
  for (;;) {
    const part: unknown = socket.read(Math.min(left, socket.readableLength));
    if (typeof part !== 'string') return;
    socket.emit('data', part);
    left -= part.length;
    if (left <= 0) return;
  }
}

const widestFilter = Object.fromEntries(
  Array.from({ length: 16 }, (_, key) => [
    `key-${key}`,
    { in: Array.from({ length: 250 }, (_, at) => `${key}-${at}`) },
  ]),
);

export function searchBody(corpus: string, filter?: object): string {
  const vector = Array.from({ length: 32 }, (_, at) => (at % 7) - 3.5);
  return JSON.stringify({
    query_vector: vector,
    corpora: [corpus],
    k: 5,
    ...(filter ? { metadata_filter: filter } : {}),
  });
}
