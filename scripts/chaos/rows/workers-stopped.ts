import { setTimeout as delay } from 'node:timers/promises';
import { createVectorSource } from '../../staffing/own-vectors.ts';
import { createHistory } from '../../testing/history.ts';
import type { Check, FaultContext, FaultOutcome, FaultRow } from '../fault-row.ts';
import { checkAcknowledged } from '../oracles/acknowledged.ts';
import { checkNoCrash, spreadOf } from '../oracles/alive.ts';
import { check } from '../oracles/check.ts';
import { checkDigest } from '../oracles/digest.ts';
import type { Ended } from '../process.ts';
import { createProducer } from '../producer.ts';
import { type ChaosProcessName, type ChaosStack, ownDimension, ownSpace, startChaosStack } from '../stack.ts';

const workers = ['ingest', 'embed', 'index', 'playbook', 'observer'] as const;
const scales = {
  short: { rounds: 1, documentsARound: 400 },
  long: { rounds: 5, documentsARound: 4_000 },
} as const;
const corpus = 'workers';
/** What a process is given to finish what is in flight (10 s), to answer (1 s), and to let go. */
const drainMsMax = 15_000;
/** Requests that are on their way when the gateway is told to stop. */
const asking = 16;
const underwayMs = 150;

/** F22: every process is told to stop while it has work. */
export const workersStopped: FaultRow = {
  fault: 'F22',
  title: 'SIGTERM to every process under load',
  passes: 'each drains in bounded time and exits with 0, what the gateway had begun is answered, and nothing is lost',
  mutations: [
    { name: 'gateway-drops-requests', breaks: 'the gateway ends without answering what it has begun' },
    { name: 'worker-ends-at-once', breaks: 'a worker that is told to stop ends with what it has in flight' },
  ],
  run,
};

interface Stopped extends Ended {
  readonly name: string;
}

async function run(context: FaultContext): Promise<FaultOutcome> {
  const { seed, directory, mutation, fault, scale } = context;
  const { rounds, documentsARound } = scales[scale];
  await using stack = await startChaosStack({
    directory,
    mutant: mutation,
    shortWaits: scale === 'short',
    processes: workers,
  });
  const producer = createProducer({ client: stack.client, corpus, name: `f22-${seed}`, batch: 100 });
  const history = createHistory({ seed, documents: documentsARound, dimension: ownDimension, space: ownSpace });
  await producer.send(history.first().slice(0, 100));
  const stopped: Stopped[] = [];
  const answers: string[] = [];
  for (let round = 0; round < rounds; round++) {
    const sending = producer.send(round === 0 ? history.first() : history.changes(documentsARound));
    if (fault) {
      for (const name of workers) stopped.push(await stopAndStart(stack, name));
      answers.push(
        ...(await stopGateway(stack, createVectorSource({ dimension: ownDimension, clusters: 8, seed })(1), stopped)),
      );
    }
    await sending;
    context.report(`${producer.documents()} documents, ${stopped.length} processes stopped`);
  }
  const acknowledged = await checkAcknowledged(stack.operator, producer.acknowledged);
  return {
    checks: [
      ...(fault ? drainChecks(stopped, answers) : []),
      ...(await checkDigest(stack)),
      ...acknowledged.checks,
      checkNoCrash(stack),
    ],
    counts: {
      documents: producer.documents(),
      terminations: stopped.length,
      requestsUnderway: answers.length,
      requestsSentAgain: producer.retries(),
      acknowledgedLost: acknowledged.lost,
      ...spreadOf(
        'drain',
        stopped.map(({ durationMs }) => durationMs),
      ),
    },
  };
}

function drainChecks(stopped: readonly Stopped[], answers: readonly string[]): Check[] {
  const late = stopped.filter(({ durationMs }) => durationMs > drainMsMax);
  const failed = stopped.filter(({ code }) => code !== 0);
  const broken = answers.filter((answer) => answer.startsWith('broken'));
  const names = (list: readonly Stopped[]) =>
    list.map(({ name, code, signal }) => `${name} ${code ?? signal}`).join(', ');
  return [
    check(
      `every process ends within ${drainMsMax / 1_000} s`,
      late.length === 0,
      names(late) || `${stopped.length} did`,
    ),
    check('every process exits with 0', failed.length === 0, names(failed) || `${stopped.length} did`),
    check(
      'what the gateway had begun is answered',
      answers.length > 0 && broken.length === 0,
      broken[0] ?? `${answers.length} answers`,
    ),
  ];
}

async function stopAndStart(stack: ChaosStack, name: ChaosProcessName): Promise<Stopped> {
  const one = stack.of(name);
  const ended = await one.terminate();
  await one.start();
  await one.untilReady();
  return { name, ...ended };
}

/** Stops the gateway while requests are on their way to it; what became of each of them. */
async function stopGateway(stack: ChaosStack, query: Float32Array, stopped: Stopped[]): Promise<string[]> {
  // Answered once what they say can be found: they are on their way for as long as the pipeline takes.
  const requests = Array.from({ length: asking }, (_, at) =>
    fetch(`${stack.url}/v1/ingest/underway?wait=searchable`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify([{ id: `d-${at}`, vector: [...query], space: ownSpace, metadata: { at } }]),
    }).then(
      async (response) => `${response.status} ${(await response.arrayBuffer()).byteLength} bytes`,
      (error: unknown) => `broken: ${error instanceof Error ? String(error.cause ?? error.message) : error}`,
    ),
  );
  const embed = stack.of('embed');
  embed.pause();
  await delay(underwayMs);
  const stopping = stopAndStart(stack, 'gateway');
  await delay(underwayMs);
  embed.resume();
  stopped.push(await stopping);
  return Promise.all(requests);
}
