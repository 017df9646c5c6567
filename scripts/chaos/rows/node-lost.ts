import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import type { StreamName } from '../../../schemas/catalog.ts';
import { inspectStream } from '../../../streams/inspect.ts';
import { formatServerVersion } from '../../../streams/server/version.ts';
import type { TestCluster } from '../../../streams/testing/test-cluster.ts';
import type { TestServer } from '../../../streams/testing/test-server.ts';
import { below } from '../../random.ts';
import { createVectorSource } from '../../staffing/own-vectors.ts';
import { createHistory, type History } from '../../testing/history.ts';
import type { Check, FaultContext, FaultOutcome, FaultRow } from '../fault-row.ts';
import { answerWithinMs, createGateways } from '../gateways.ts';
import { checkAcknowledged } from '../oracles/acknowledged.ts';
import { check } from '../oracles/check.ts';
import { checkDigest, checkSameEverywhere } from '../oracles/digest.ts';
import { createProducer, type Producer } from '../producer.ts';
import { type ChaosStack, ownDimension, ownSpace, startChaosStack } from '../stack.ts';

const corpus = 'workers';
/** The stream that takes most appends: each document once, with its vector. */
const busiest: StreamName = 'VECTORS';

/** What is done to a node, and to which one. */
interface Blow {
  readonly what: 'kill' | 'pause' | 'restart';
  /** `leader` of the busiest stream, of INGEST, or any node. */
  readonly whom: StreamName | 'any';
}

const scales: Readonly<Record<FaultContext['scale'], { documents: number; blows: readonly Blow[] }>> = {
  short: { documents: 100, blows: [{ what: 'kill', whom: 'INGEST' }] },
  long: {
    documents: 5_000,
    blows: [
      { what: 'kill', whom: 'any' },
      { what: 'pause', whom: 'any' },
      { what: 'restart', whom: 'any' },
      { what: 'kill', whom: busiest },
      { what: 'pause', whom: busiest },
      { what: 'restart', whom: busiest },
      { what: 'kill', whom: 'INGEST' },
      { what: 'pause', whom: 'INGEST' },
    ],
  },
};
const batch = 20;
const pauseMs = 10;
/** So many documents have to be acknowledged while the node is away, before it may come back. */
const documentsAway = 3 * batch;
/** A consumer that a lost node has left hanging is found after two ack waits, and made anew after two more. */
const settleDeadlineMs = 300_000;
/** A node that hangs does so for longer than it takes the others, and its clients, to find out. */
const pausedMs = 15_000;
/**
 * An election takes up to nine seconds and may fail several times; what was sent in between is sent again after five. How
 * long it took is reported.
 */
const takenAgainWithinMs = 60_000;
/** Where a guard is broken, nothing is taken until the node is back: longer than it takes where it is not. */
const brokenTakenWithinMs = 25_000;
const currentWithinMs = 60_000;
/** A node that hung goes on as the leader that it was until it hears otherwise: what is told has to be told again then. */
const currentAgainMs = 5_000;
const lookEveryMs = 100;

/** F23: nodes of the log are killed, hang and are restarted while documents come in and searches go on. */
export const nodeLost: FaultRow = {
  fault: 'F23',
  title: 'one of three NATS nodes is killed, paused or restarted under load, the leader of the busiest stream too',
  passes: 'nothing acknowledged is lost, the state is the fold of the log, and both ingest and searches go on',
  mutations: [{ name: 'one-replica', breaks: 'every stream is kept by one node alone' }],
  run,
};

async function run(context: FaultContext): Promise<FaultOutcome> {
  const { seed, directory, mutation, fault, scale } = context;
  const { documents, blows } = scales[scale];
  const withinMs = mutation === undefined ? takenAgainWithinMs : brokenTakenWithinMs;
  await using stack = await startChaosStack({
    shortWaits: context.scale === 'short',
    directory,
    cluster: true,
    processes: ['ingest', 'embed', 'index-1', 'index-2', 'gateway-2'],
    ...(mutation === 'one-replica' ? { topology: { replicas: 1 } } : {}),
  });
  const { cluster } = stack;
  if (cluster === undefined) throw new Error('there is no cluster');
  const version = formatServerVersion(stack.server.binary.version);
  const gateways = createGateways([stack.url, stack.urlOf('gateway-2')]);
  const producer = createProducer({ client: gateways, corpus, name: `f23-${seed}`, batch, pauseMs });
  const history = createHistory({ seed, documents, dimension: ownDimension, space: ownSpace });
  context.report('everything runs');
  await producer.send(history.first());
  const searches = gateways.startSearches(corpus, createVectorSource({ dimension: ownDimension, clusters: 64, seed }));
  const load = startLoad(producer, history);
  const away: Away[] = [];
  for (const blow of blows) {
    const seen = await strike(blow, { cluster, stack, producer, withinMs }, context);
    away.push(...seen);
    for (const { node, what, documents: taken, takenAfterMs } of seen)
      context.report(`${what} ${node}: ${taken} documents while it was away, the first after ${takenAfterMs} ms`);
    // What was to go on did not: nothing behind it would tell more.
    if (!awayCheck(away, version, withinMs).held) break;
    if (fault) await untilCurrent(stack, cluster);
    context.report('every node is current');
  }
  const goneOn = awayCheck(away, version, withinMs);
  const failure = await load.stop();
  const found = await searches.stop();
  if (!goneOn.held) return { checks: [goneOn], counts: { documents: producer.documents() } };
  const acknowledged = await checkAcknowledged(stack.operator, producer.acknowledged);
  const digests = await checkDigest(stack, settleDeadlineMs);
  const stalls = await stallsOf(stack);
  return {
    checks: [
      ...acknowledged.checks,
      ...digests,
      await checkSameEverywhere(stack, 2),
      check('every batch is acknowledged in the end', failure === undefined, failure ?? `${producer.documents()}`),
      goneOn,
      check(
        `every search is answered by one of two gateways within ${answerWithinMs / 1_000} s`,
        found.answered > 0 && found.unanswered === 0,
        `${found.answered} answered, ${found.unanswered} not; slowest ${found.slowestMs} ms; ${found.firstFailure}`,
      ),
      check(
        'no process ended on its own',
        stack.all().every((one) => one.crashes() === 0),
        'see the logs',
      ),
    ],
    counts: {
      documents: producer.documents(),
      blows: fault ? blows.length : 0,
      requestsSentAgain: producer.retries(),
      takenAfterMsMax: Math.max(0, ...away.map(({ takenAfterMs }) => takenAfterMs)),
      searches: found.answered,
      searchesAskedAgain: found.askedAgain,
      searchMsMax: found.slowestMs,
      acknowledgedLost: acknowledged.lost,
      stalls,
    },
  };
}

/** What was seen while one node was away. */
interface Away {
  readonly node: string;
  readonly what: Blow['what'];
  /** Acknowledged while it was away. */
  readonly documents: number;
  /** From the blow to the first acknowledgement behind it. */
  readonly takenAfterMs: number;
}

function awayCheck(away: readonly Away[], version: string, withinMs: number): Check {
  const short = away.filter(({ documents }) => documents < documentsAway);
  const seen = (short[0] ? short : away).map(
    ({ node, what, documents, takenAfterMs }) => `${what} ${node}: ${documents} after ${takenAfterMs} ms`,
  );
  return check(
    `documents are taken in while a node of nats-server ${version} is away, within ${withinMs / 1_000} s`,
    away.length > 0 && short.length === 0,
    seen.join('; '),
  );
}

interface Struck {
  readonly cluster: TestCluster;
  readonly stack: ChaosStack;
  readonly producer: Producer;
  /** Documents are to be taken again within this. */
  readonly withinMs: number;
}

async function strike(
  { what, whom }: Blow,
  { cluster, stack, producer, withinMs }: Struck,
  { random, fault }: FaultContext,
): Promise<Away[]> {
  const first = whom === 'any' ? below(random, cluster.nodes.length) : await leaderAt(whom, cluster, stack);
  // A rolling restart begins with whom it is for, and goes on with the others, one behind the other.
  const order = cluster.nodes.map((_, at) => cluster.nodes[(first + at) % cluster.nodes.length] ?? stack.server);
  const away: Away[] = [];
  for (const node of what === 'restart' ? order : order.slice(0, 1)) {
    if (what === 'restart' && away.length > 0 && fault) await untilCurrent(stack, cluster);
    if (fault) await take(node, what);
    away.push({ node: cluster.nameOf(node), what, ...(await untilTaken(producer, withinMs)) });
    if (fault && what === 'pause') {
      await delay(pausedMs);
      // Whatever was in hand when it hung is through by now: what is taken in still goes past it.
      away.push({
        node: `${cluster.nameOf(node)} for ${pausedMs / 1_000} s`,
        what,
        ...(await untilTaken(producer, withinMs)),
      });
    }
    if (fault) await giveBack(node, what);
  }
  return away;
}

async function take(node: TestServer, what: Blow['what']): Promise<void> {
  if (what === 'kill') return node.kill9();
  if (what === 'restart') return node.stop();
  node.pause();
}

async function giveBack(node: TestServer, what: Blow['what']): Promise<void> {
  if (what === 'pause') node.resume();
  else await node.restart();
}

async function untilTaken(producer: Producer, withinMs: number): Promise<Pick<Away, 'documents' | 'takenAfterMs'>> {
  const began = performance.now();
  const before = producer.documents();
  let takenAfterMs = 0;
  const elapsedMs = () => Math.round(performance.now() - began);
  while (producer.documents() - before < documentsAway && elapsedMs() < withinMs) {
    if (takenAfterMs === 0 && producer.documents() > before) takenAfterMs = elapsedMs();
    await delay(lookEveryMs);
  }
  return { documents: producer.documents() - before, takenAfterMs: takenAfterMs || elapsedMs() };
}

/** Consumers that stalled and were taken up again, over all workers. */
async function stallsOf(stack: ChaosStack): Promise<number> {
  const asked = (['ingest', 'embed', 'index-1', 'index-2'] as const).map(async (name) => {
    const response = await fetch(`${stack.urlOf(name)}/readyz`);
    const { stalls } = z.object({ stalls: z.number() }).parse(await response.json());
    return stalls;
  });
  return (await Promise.all(asked)).reduce((sum, one) => sum + one, 0);
}

async function leaderAt(stream: StreamName, cluster: TestCluster, { operator }: ChaosStack): Promise<number> {
  const { cluster: group } = await operator.manager.streams.info(stream);
  const at = cluster.nodes.findIndex((node) => cluster.nameOf(node) === group?.leader);
  if (at < 0) throw new Error(`${stream} has no leader`);
  return at;
}

/** Until every stream is led, and all nodes hold all of it, now and later: only then may the next one be taken away. */
async function untilCurrent({ operator }: ChaosStack, cluster: TestCluster): Promise<void> {
  const deadline = performance.now() + currentWithinMs;
  for (let currentAtMs = Number.POSITIVE_INFINITY; ; ) {
    const found = await Promise.all(
      (['INGEST', 'DOCUMENTS', 'VECTORS'] as const).map((name) => inspectStream(operator, name)),
    ).catch(() => []);
    const current = found.map((stream) => {
      const followers = stream?.replication?.followers ?? [];
      return stream?.replication === null || followers.filter((one) => one.current && !one.offline).length;
    });
    const isCurrent =
      found.length > 0 && current.every((count) => count === true || count === cluster.nodes.length - 1);
    if (isCurrent && performance.now() - currentAtMs >= currentAgainMs) return;
    if (isCurrent) currentAtMs = Math.min(currentAtMs, performance.now());
    if (performance.now() > deadline) throw new Error(`the nodes are not current after ${currentWithinMs / 1_000} s`);
    await delay(lookEveryMs);
  }
}

/** Changes without end, one batch behind the other. */
function startLoad(producer: Producer, history: History): { stop(): Promise<string | undefined> } {
  let stopped = false;
  const running = (async () => {
    while (!stopped) await producer.send(history.changes(batch));
  })().then(
    () => undefined,
    (error: unknown) => String(error),
  );
  return {
    stop: () => {
      stopped = true;
      return running;
    },
  };
}
