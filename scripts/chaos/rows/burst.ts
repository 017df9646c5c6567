import { setTimeout as delay } from 'node:timers/promises';
import { GatewayError } from '../../../gateway/client/errors.ts';
import type { DocumentChangeInput } from '../../../schemas/events/ingest.ts';
import { inspectConsumer } from '../../../streams/inspect.ts';
import { readResident } from '../../bench/memory-parts.ts';
import { type HeldDocuments, residentLimitBytes } from '../../stack/memory.ts';
import type { gatewayName, StackWorker } from '../../stack/plan.ts';
import { workerAt, workerDocument } from '../../staffing/workers.ts';
import { createHistory } from '../../testing/history.ts';
import type { Check, FaultContext, FaultOutcome, FaultRow } from '../fault-row.ts';
import { checkAcknowledged } from '../oracles/acknowledged.ts';
import { check } from '../oracles/check.ts';
import { checkDigest } from '../oracles/digest.ts';
import { createProducer, type Producer } from '../producer.ts';
import { type SlowEmbedder, startSlowEmbedder } from '../slow-embedder.ts';
import { type ChaosStack, ownDimension, ownSpace, startChaosStack } from '../stack.ts';

/**
 * `lagMax` is what may wait at once: the gateway's limit, and what producers say within two of its looks at the pipeline.
 * An hour of texts at ten a second is said as fast as it is taken, to an embedder that manages some hundreds.
 */
const scales = {
  short: { documents: 1_800, texts: 200, batch: 50, pauseMs: 80, backlogMax: 200, lagMax: 1_400, textMs: 4 },
  long: { documents: 50_000, texts: 36_000, batch: 250, pauseMs: 40, backlogMax: 5_000, lagMax: 20_000, textMs: 4 },
} as const;
const worksOnDocuments = ['ingest', 'embed', 'index'] as const;
const processesOf: Readonly<Record<FaultContext['scale'], readonly StackWorker[]>> = {
  short: worksOnDocuments,
  long: [...worksOnDocuments, 'playbook', 'observer'],
};
/** The embed worker stands still until producers were told so often to come again, and runs for as long then. */
const refusalsPerPause = 5;
const pauseMsMax = 60_000;
const lookMs = 100;
const drainDeadlineMs = 600_000;
const mebibyte = 1024 * 1024;

/** F15: more is said than can be worked on. */
export const burst: FaultRow = {
  fault: 'F15',
  title:
    'a burst of documents while the embed worker stands still half the time, and texts for an embedder that is slow',
  passes:
    'every process stays under its limit of memory, producers are told to come again, the lag falls, nothing is lost',
  mutations: [
    { name: 'no-backlog-limit', breaks: 'the gateway takes whatever comes, however much waits already' },
    { name: 'appended-is-kept', breaks: 'the gateway holds in memory what it has appended' },
  ],
  run,
};

async function run(context: FaultContext): Promise<FaultOutcome> {
  const { seed, directory, fault, mutation } = context;
  const scale = scales[context.scale];
  const processes = processesOf[context.scale];
  await using embedder = await startSlowEmbedder(ownDimension);
  await using stack = await startChaosStack({
    directory,
    mutant: mutation,
    processes,
    environment: { LAKEHOUSE_BACKLOG_MAX: String(scale.backlogMax), OLLAMA_HOST: embedder.host },
  });
  const told = new Map<number, number>();
  const producerOf = (corpus: string) =>
    createProducer({
      client: {
        ingest: (...asked) => stack.client.ingest(...asked).catch((error: unknown) => noteRefusal(error, told)),
      },
      corpus,
      name: `f15-${seed}-${corpus}`,
      batch: scale.batch,
      pauseMs: scale.pauseMs,
    });
  const [vectors, texts] = [producerOf('vectors'), producerOf('texts')];
  const lag = watchLag(stack);
  const history = createHistory({ seed, documents: scale.documents, dimension: ownDimension, space: ownSpace });
  const sending = vectors.send(history.first());
  if (fault) await standStillHalfTheTime(stack, vectors, sending);
  await sending;
  context.report(`${vectors.documents()} documents with vectors are in the log; at most ${lag.most()} waited`);
  await sendTexts(texts, textsOf(scale.texts), fault ? scale.textMs : 0, embedder);
  context.report(`${texts.documents()} documents with texts are in the log; at most ${lag.most()} waited`);
  const left = await lag.drained(drainDeadlineMs);
  const acknowledged = await checkAcknowledged(stack.operator, [...vectors.acknowledged, ...texts.acknowledged]);
  const held = { documents: scale.documents + scale.texts, dimension: ownDimension };
  const refused = [...told.values()].reduce((sum, count) => sum + count, 0);
  return {
    checks: [
      ...(await checkMemory(stack, processes, held)),
      check(`the lag stays under ${scale.lagMax} events`, lag.most() <= scale.lagMax, lag.most()),
      check('the lag falls to nothing', left === 0, left),
      ...(fault
        ? [check('the lag reaches what the gateway lets wait', lag.most() >= scale.backlogMax, lag.most())]
        : []),
      ...(fault ? [checkTold(told)] : []),
      ...acknowledged.checks,
      ...(await checkDigest(stack)),
    ],
    counts: {
      documents: vectors.documents(),
      texts: texts.documents(),
      textsEmbedded: embedder.texts(),
      lagMax: lag.most(),
      requestsRefused: refused,
      acknowledgedLost: acknowledged.lost,
    },
  };
}

/** How often a request was refused with which number of seconds to wait (0: without one). */
function noteRefusal(error: unknown, told: Map<number, number>): never {
  if (error instanceof GatewayError && (error.problem.status === 429 || error.problem.status === 503)) {
    const seconds = error.retryAfterSeconds ?? 0;
    told.set(seconds, (told.get(seconds) ?? 0) + 1);
  }
  throw error;
}

function checkTold(told: ReadonlyMap<number, number>): Check {
  const seen = [...told].map(([seconds, count]) => `${count} times ${seconds} s`).join(', ');
  return check('producers are told when to come again', told.size > 0 && !told.has(0), seen === '' ? 'never' : seen);
}

/** Pauses until producers feel it, or have said everything; then lets it run for as long, and again. */
async function standStillHalfTheTime(stack: ChaosStack, producer: Producer, sending: Promise<void>): Promise<void> {
  const embed = stack.of('embed');
  let isSent = false;
  const sent = sending.finally(() => {
    isSent = true;
  });
  // Whoever waits for the sending is told.
  sent.catch(() => undefined);
  while (!isSent) {
    const began = performance.now();
    const refusedBefore = producer.retries();
    embed.pause();
    try {
      while (!isSent && producer.retries() - refusedBefore < refusalsPerPause && performance.now() - began < pauseMsMax)
        await delay(lookMs);
    } finally {
      embed.resume();
    }
    await Promise.race([sent.catch(() => undefined), delay(performance.now() - began)]);
  }
}

/** Texts that differ, said to an embedder that takes its time for each of them. */
async function sendTexts(
  producer: Producer,
  changes: readonly DocumentChangeInput[],
  textMs: number,
  embedder: SlowEmbedder,
): Promise<void> {
  embedder.setTextMs(textMs);
  await producer.send(changes);
}

function textsOf(count: number): DocumentChangeInput[] {
  return Array.from({ length: count }, (_, at) => {
    const { text, metadata } = workerDocument(workerAt(at + 1));
    return { id: `t-${at}`, text: `${text} Number ${at}.`, metadata: { ...metadata } };
  });
}

interface Lag {
  /** The most events that waited for the ingest and the embed worker at once. */
  readonly most: () => number;
  /** Resolves to what is left when nothing waits, or the deadline has passed. */
  drained(deadlineMs: number): Promise<number>;
}

function watchLag({ operator }: ChaosStack): Lag {
  let most = 0;
  const look = async () => {
    const ingest = await inspectConsumer(operator, 'INGEST', 'ingest');
    const embed = await inspectConsumer(operator, 'DOCUMENTS', 'embed');
    const now = ingest.pending + ingest.ackPending + embed.pending + embed.ackPending;
    most = Math.max(most, now);
    return now;
  };
  let isDone = false;
  const looking = (async () => {
    while (!isDone) {
      await look();
      await delay(lookMs);
    }
  })();
  // Told by whoever waits until it is drained.
  looking.catch(() => undefined);
  return {
    most: () => most,
    drained: async (deadlineMs) => {
      isDone = true;
      await looking;
      const deadline = performance.now() + deadlineMs;
      let left = await look();
      while (left > 0 && performance.now() < deadline) {
        await delay(lookMs);
        left = await look();
      }
      return left;
    },
  };
}

/** The most that each process had resident in its whole life, as the kernel counts it. */
async function checkMemory(
  stack: ChaosStack,
  processes: readonly StackWorker[],
  held: HeldDocuments,
): Promise<Check[]> {
  const named: readonly (readonly ['nats-server' | typeof gatewayName | StackWorker, number])[] = [
    ['nats-server', stack.server.pid],
    ...[...processes, 'gateway' as const].map((name) => [name, stack.of(name).pid()] as const),
  ];
  return Promise.all(
    named.map(async ([name, pid]) => {
      const limit = residentLimitBytes(name, held);
      const { peak } = await readResident(pid);
      const [seen, bar] = [peak, limit].map((bytes) => Math.round(bytes / mebibyte));
      return check(`${name} stays under ${bar} MiB`, peak > 0 && peak <= limit, `${seen} MiB at most`);
    }),
  );
}
