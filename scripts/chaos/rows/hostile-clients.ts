import { setTimeout as delay } from 'node:timers/promises';
import { createHistory } from '../../testing/history.ts';
import type { Check, FaultContext, FaultId, FaultOutcome, FaultRow, Mutation } from '../fault-row.ts';
import {
  type HostileFindings,
  type HostileWay,
  hostileWays,
  searchBody,
  startHostile,
  unreadOfSlowReader,
} from '../hostile-clients.ts';
import { type HonestFindings, startHonest } from '../http-load.ts';
import { check } from '../oracles/check.ts';
import { type ChaosStack, ownDimension, ownSpace, startChaosStack } from '../stack.ts';

const corpus = 'workers';
const scales = {
  short: { connections: 400, requestsPerSecond: 100, phaseMs: 1_000, documents: 100 },
  long: { connections: 1_000, requestsPerSecond: 150, phaseMs: 30_000, documents: 1_000 },
} as const;
const hostilePart = 1 / 20;
/** Of the answers that slow readers leave unread so many would be too much work, if they were work. */
const unreadTooMuch = 0.8;
/** A machine that stands still for a second has more work waiting than is taken: that much may be shed. */
const servedPartMin = 0.99;
const settledWithinMs = 5_000;
const lookEveryMs = 50;
const mib = 1024 * 1024;

interface Kind {
  readonly fault: FaultId;
  readonly title: string;
  readonly passes: string;
  readonly ways: readonly HostileWay[];
  /** What each of them may be told; nothing where it is not to be answered. */
  readonly mutations: readonly Mutation[];
}

/** F17: clients that send what they should not, among a thousand connections. */
export const hostileClients = rowOf({
  fault: 'F17',
  title:
    'a twentieth of all connections aborts, sends too much, sends what can not be read, or filters by all there is',
  passes:
    'they are refused with what they did, never a 500; the others are answered; nothing stays in work; the process lives',
  ways: hostileWays.filter((way) => !/^(says|ends|reads|writes)/.test(way)),
  mutations: [
    { name: 'malformed-is-internal', breaks: 'a body that is no JSON is taken for an error of the worker' },
    { name: 'gone-stay-in-work', breaks: 'a request is counted as in work after it is over' },
  ],
});

/** F24: clients that are slow or say nothing. */
export const slowClients = rowOf({
  fault: 'F24',
  title: 'a twentieth of all connections reads 64 KiB a second, writes a byte at a time, or stays half-open',
  passes: 'the others are served as before, and what the slow ones leave unread takes nobody’s place',
  ways: hostileWays.filter((way) => /^(says|ends|reads|writes)/.test(way)),
  mutations: [{ name: 'unread-is-in-work', breaks: 'an answer that its client does not read counts as work' }],
});

function rowOf({ ways, ...kind }: Kind): FaultRow {
  return { ...kind, run: (context) => run(context, ways) };
}

async function run(context: FaultContext, ways: readonly HostileWay[]): Promise<FaultOutcome> {
  const { seed, directory, mutation } = context;
  const { connections, requestsPerSecond, phaseMs, documents } = scales[context.scale];
  const hostileCount = Math.round(connections * hostilePart);
  await using stack = await startChaosStack({
    directory,
    mutant: mutation,
    environment: limitsBeside(ways, hostileCount),
  });
  const history = createHistory({ seed, documents, dimension: ownDimension, space: ownSpace });
  await stack.client.ingest(corpus, history.first(), { waitSearchable: true });
  const gateway = stack.of('gateway');
  const honest = await startHonest({
    url: stack.url,
    connections: connections - hostileCount,
    requestsPerSecond,
    body: searchBody(corpus),
  });
  try {
    const control = await honest.sendFor(phaseMs);
    context.report(`${connections} connections, no hostile one: p99 ${control.p99Ms} ms`);
    const rssBefore = await gateway.rssBytes();
    const hostile = context.fault ? startHostile(stack.url, hostileCount, ways, corpus) : undefined;
    const found = await honest.sendFor(phaseMs);
    const rssAfter = await gateway.rssBytes();
    const met = await hostile?.stop();
    context.report(`${met?.connections ?? 0} hostile connections: p99 of the honest ones ${found.p99Ms} ms`);
    const inWork = await untilNothingInWork(stack);
    return {
      checks: [
        ...honestChecks('without hostile clients', control),
        ...honestChecks('beside them', found),
        ...(met === undefined ? [] : hostileChecks(met, ways)),
        check('nothing stays in work', inWork === 0, `${inWork} requests`),
        await livesCheck(stack),
      ],
      counts: {
        connections,
        hostileConnections: met?.connections ?? 0,
        hostileRequests: met?.requests ?? 0,
        honestRequests: found.answered + found.unanswered,
        honestP50Ms: found.p50Ms,
        honestP99Ms: found.p99Ms,
        controlP50Ms: control.p50Ms,
        controlP99Ms: control.p99Ms,
        status500:
          countOf(500, control, found) + [...(met?.statuses.values() ?? [])].filter((one) => one.has(500)).length,
        gatewayRssGrowthMiB: Math.round((rssAfter - rssBefore) / mib),
      },
    };
  } finally {
    honest.close();
  }
}

/** Beside slow readers so few requests may be in work that what they leave unread would be more. */
function limitsBeside(ways: readonly HostileWay[], hostileCount: number): Record<string, string> {
  if (!ways.includes('reads 64 KiB a second')) return {};
  const unread = Math.ceil(hostileCount / ways.length) * unreadOfSlowReader;
  return { LAKEHOUSE_REQUESTS_WAITING_MAX: String(Math.floor(unread * unreadTooMuch)) };
}

function countOf(status: number, ...findings: readonly HonestFindings[]): number {
  return findings.reduce((sum, { statuses }) => sum + (statuses.get(status) ?? 0), 0);
}

function honestChecks(when: string, { answered, unanswered, statuses }: HonestFindings): Check[] {
  const seen = [...statuses].map(([status, count]) => `${count} of ${status}`).join(', ');
  return [
    check(`honest clients are all answered ${when}`, answered > 0 && unanswered === 0, seen),
    check(
      `and at least ${100 * servedPartMin} % of them with what they asked for, the others with a 503, ${when}`,
      (statuses.get(200) ?? 0) >= servedPartMin * answered &&
        [...statuses.keys()].every((status) => [200, 503].includes(status)),
      seen,
    ),
  ];
}

/** What may be said to each; a client that is only slow may be told nothing. */
const told: Readonly<Record<HostileWay, readonly number[]>> = {
  'says nothing': [408],
  'ends in its headers': [408],
  'reads 64 KiB a second': [200, 503],
  'writes some bytes a second': [408],
  'sends too much': [413, 503],
  'breaks off': [200, 503],
  'sends what is no request': [400],
  'sends what is no search': [400, 503],
  'filters by all there is': [200, 503, 504],
};
const alwaysTold: readonly HostileWay[] = ['sends too much', 'sends what is no request', 'sends what is no search'];

function hostileChecks({ statuses }: HostileFindings, ways: readonly HostileWay[]): Check[] {
  return ways.map((way) => {
    const seen = [...(statuses.get(way) ?? [])];
    const held = seen.every((status) => told[way].includes(status)) && (seen.length > 0 || !alwaysTold.includes(way));
    return check(`who ${way} is told ${told[way].join(' or ')}`, held, seen.join(', ') || 'nothing');
  });
}

/** What the gateway counts as in work, once that is nothing or it has waited long enough; the one that asks is not told. */
async function untilNothingInWork({ url }: ChaosStack): Promise<number> {
  const deadline = performance.now() + settledWithinMs;
  for (;;) {
    const text = await (await fetch(`${url}/metrics`)).text();
    const inWork = Number(/^lakehouse_http_requests_in_work (\d+)$/m.exec(text)?.[1] ?? Number.NaN) - 1;
    if (inWork === 0 || performance.now() > deadline) return inWork;
    await delay(lookEveryMs);
  }
}

async function livesCheck(stack: ChaosStack): Promise<Check> {
  const answer = await fetch(`${stack.url}/v1/matrix/search`, { method: 'POST', body: searchBody(corpus) });
  const crashes = stack.all().reduce((sum, one) => sum + one.crashes(), 0);
  return check(
    'every process lives, and the next search is answered',
    answer.ok && crashes === 0,
    `${answer.status}, ${crashes} ended`,
  );
}
