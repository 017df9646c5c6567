import { setTimeout as delay } from 'node:timers/promises';
import { deliveries, type ReactorDelivery } from '../../../schemas/catalog.ts';
import type { Space } from '../../../schemas/space.ts';
import { append } from '../../../streams/append.ts';
import type { LogConnection } from '../../../streams/connection.ts';
import { startProjector } from '../../../streams/projector.ts';
import { type Reactor, startReactor } from '../../../streams/reactor.ts';
import { createStalls, type Stall, type StallLimits, stallLimits } from '../../../streams/stalls.ts';
import { misconfigureConsumer, silentBehind, takeAndDie } from '../../../streams/testing/consumers.ts';
import { startTestLog, type TestLog } from '../../../streams/testing/test-log.ts';
import type { LogTransport, RuntimeConnection } from '../../../streams/transport.ts';
import { decideIngest } from '../../../workers/ingest/decide.ts';
import type { Check, FaultContext, FaultOutcome, FaultRow } from '../fault-row.ts';
import { check } from '../oracles/check.ts';

interface Scale {
  readonly documents: number;
  readonly delivery: Partial<ReactorDelivery>;
  readonly limits: StallLimits;
  readonly resumedWithinMs: number;
}

/** Short: an ack wait that would not end in time, so that nothing but the watchdog can help. Long: as it is declared. */
const scales: Readonly<Record<FaultContext['scale'], Scale>> = {
  short: {
    documents: 60,
    delivery: { ackWaitMs: 120_000, ackPendingMax: 16, concurrency: 8 },
    limits: { lookEveryMs: 50, foldStallMs: 500, ackWaits: 0.005 },
    resumedWithinMs: 6_000,
  },
  long: { documents: 5_000, delivery: {}, limits: stallLimits, resumedWithinMs: 180_000 },
};
const corpus = 'workers';
const defaultSpace: Space = { model: 'own', dimension: 2, prefixScheme: 'none' };
const silentBehindMessages = 20;
const drainMs = 2_000;
const lookEveryMs = 20;

/** F4: consumers that are not as declared, that a dead client has filled, and that say nothing more. */
export const consumerStalled: FaultRow = {
  fault: 'F4',
  title: 'a consumer misconfigured by hand, filled by a dead client, and a fold whose source falls silent',
  passes: 'drift is found at the start and mended, each stall is told, and work goes on by itself from where it was',
  mutations: [
    { name: 'watchdog-off', breaks: 'nobody looks for consumers that stall' },
    { name: 'drift-unseen', breaks: 'a consumer that is there is taken as it is' },
  ],
  run,
};

async function run(context: FaultContext): Promise<FaultOutcome> {
  const { fault, mutation } = context;
  const scale = scales[context.scale];
  const delivery = { ...deliveries.ingest, ...scale.delivery };
  await using log = await startTestLog();
  const stalls: Stall[] = [];
  const connectAs = async (role: 'ingest' | 'observer' | 'operator', change = (transport: LogTransport) => transport) =>
    brokenAs(await log.connectAs(role), mutation, scale.limits, change, (stall) => stalls.push(stall));
  const checks: Check[] = [];
  const resume = async (what: string, done: () => Promise<number>, wanted: number) => {
    const { reached, tookMs } = await within(scale.resumedWithinMs, done, wanted);
    context.report(`${what}: ${reached} of ${wanted} after ${tookMs} ms`);
    checks.push(check(`${what}: work goes on by itself`, reached === wanted, `${reached} of ${wanted}, ${tookMs} ms`));
    return tookMs;
  };

  // Somebody has made the consumer by hand.
  if (fault) await misconfigureConsumer(log.operator, 'INGEST', 'ingest');
  const documents = await say(log, 0, scale.documents);
  const count = () => documentCount(log);
  const first = await startIngest(await connectAs('ingest'), log, delivery);
  const mendedMs = await resume('a misconfigured consumer', count, documents);
  const said = log.logged.some(({ message }) => message.includes('differs from its declaration'));
  if (fault) checks.push(check('its drift is told in the log', said, said ? 'told' : 'not told'));
  await first.stop(drainMs);
  // Once something is red, what comes behind it would only be waited for.
  if (checks.some(({ held }) => !held)) return { checks, counts: { documents, mendedMs } };

  // A client takes all that may be in work, and dies.
  const more = documents + (await say(log, scale.documents, scale.documents));
  const held = fault ? await takeAndDie(log.operator, 'INGEST', 'ingest', delivery.ackPendingMax) : 0;
  const second = await startIngest(await connectAs('ingest'), log, delivery);
  const filledMs = await resume('a consumer that a dead client filled', count, more);
  await second.stop(drainMs);
  if (checks.some((one) => !one.held)) return { checks, counts: { documents: more, heldByDeadClient: held, filledMs } };

  // The source of a fold says nothing more, and does not end.
  let silenced = false;
  const silencing = (transport: LogTransport): LogTransport => ({
    ...transport,
    openOrdered: async (stream, start) => {
      const source = await transport.openOrdered(stream, start);
      if (!fault || silenced) return source;
      silenced = true;
      return silentBehind(source, silentBehindMessages);
    },
  });
  const folded: number[] = [];
  const fold = startFold(await connectAs('operator', silencing), log, folded);
  const foldMs = await resume('a fold whose source fell silent', async () => folded.length, more);
  await fold.stop();
  const inOrder = folded.every((sequence, at) => sequence === at + 1);
  checks.push(check('each event is folded once, in order', inOrder, `${folded.length} folded`));
  const told = [...new Set(stalls.map(({ stream, consumer }) => `${stream}/${consumer}`))];
  // The ack wait as declared ends before the watchdog has to help; the fold has nobody else.
  const wanted = !fault ? 0 : context.scale === 'short' ? 2 : 1;
  checks.push(
    check(
      'each stall is told, and nothing else',
      told.length >= wanted && (fault || told.length === 0),
      told.join(', '),
    ),
  );
  return {
    checks,
    counts: { documents: more, heldByDeadClient: held, stalls: stalls.length, mendedMs, filledMs, foldMs },
  };
}

/** The connection with a mutation's guard broken, short limits for stalls, and a changed transport. */
function brokenAs(
  connection: LogConnection,
  mutation: string | undefined,
  limits: StallLimits,
  change: (transport: LogTransport) => LogTransport,
  onStall: (stall: Stall) => void,
): RuntimeConnection {
  const { stalls: _, ...rest } = connection;
  const transport = change(mutation === 'drift-unseen' ? takingAsItIs(connection.transport) : connection.transport);
  if (mutation === 'watchdog-off') return { ...rest, transport };
  const stalls = createStalls(connection.telemetry.metrics, limits);
  stalls.watch(onStall);
  return { ...rest, transport, stalls };
}

function takingAsItIs(transport: LogTransport): LogTransport {
  return {
    ...transport,
    ensureConsumer: async (declaration, log) => {
      const { delivery, durable } = declaration;
      const there = await transport.consumerStatus(delivery.stream, durable).catch(() => undefined);
      if (there === undefined) await transport.ensureConsumer(declaration, log);
    },
  };
}

function startIngest(connection: RuntimeConnection, { log }: TestLog, delivery: ReactorDelivery): Promise<Reactor> {
  return startReactor({
    connection,
    worker: 'ingest',
    log,
    delivery,
    handlers: {
      'lakehouse.ingest': (event, context) => decideIngest(event, context, defaultSpace),
      'lakehouse.corpus-change': () => ({ kind: 'skip', reason: 'none is said here' }),
    },
  });
}

function startFold(connection: RuntimeConnection, { log }: TestLog, folded: number[]) {
  return startProjector({
    connection,
    stream: 'INGEST',
    worker: 'fold',
    checkpoint: 0,
    log,
    onPayload: ({ sequence }) => void folded.push(sequence),
  });
}

async function say({ operator }: TestLog, from: number, count: number): Promise<number> {
  for (let at = from; at < from + count; at++) {
    const item = { id: `w-${at}`, text: `document ${at}` };
    await append(operator, 'lakehouse.ingest', { corpus }, { items: [item] }, { messageId: item.id, source: 'chaos' });
  }
  return count;
}

async function documentCount({ operator }: TestLog): Promise<number> {
  return (await operator.transport.streamExtent('DOCUMENTS')).messages;
}

/** Asks until as many are there, and no longer than so. */
async function within(
  milliseconds: number,
  ask: () => Promise<number>,
  wanted: number,
): Promise<{ readonly reached: number; readonly tookMs: number }> {
  const began = performance.now();
  for (;;) {
    const reached = await ask();
    const tookMs = Math.round(performance.now() - began);
    if (reached >= wanted || tookMs > milliseconds) return { reached, tookMs };
    await delay(lookEveryMs);
  }
}
