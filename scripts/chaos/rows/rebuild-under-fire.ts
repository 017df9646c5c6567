import { setTimeout as delay } from 'node:timers/promises';
import type { Task } from '../../../workers/rebuild/task.ts';
import { below, type Random } from '../../random.ts';
import { createVectorSource } from '../../staffing/own-vectors.ts';
import { createHistory } from '../../testing/history.ts';
import type { FaultContext, FaultOutcome, FaultRow } from '../fault-row.ts';
import { checkAcknowledged } from '../oracles/acknowledged.ts';
import { checkNoCrash, spreadOf } from '../oracles/alive.ts';
import { check } from '../oracles/check.ts';
import { checkDigest } from '../oracles/digest.ts';
import { checkRecall } from '../oracles/recall.ts';
import { createProducer, type Producer } from '../producer.ts';
import { type Rebuild, startRebuild } from '../rebuild-process.ts';
import { type ChaosStack, ownDimension, ownSpace, startChaosStack } from '../stack.ts';

/** In every round it is killed at each of these steps, the switch last, and then let through. */
const scales = {
  short: { documents: 400, rounds: 1, queries: 20, killedAt: ['snapshot', 'switch'] },
  long: { documents: 10_000, rounds: 5, queries: 100, killedAt: ['fold', 'compare', 'snapshot', 'switch'] },
} as const;
const corpus = 'workers';
const batch = 50;
/** The kill comes within so long of the step's first word: before, amid or behind what the step writes. */
const killWithinMs = 40;
const queryEveryMs = 5;
const pauseMs = 100;
const takenDeadlineMs = 60_000;
/** What a killed rebuilder held is let go of by itself; until then another is refused. */
const refusedRetryMs = 500;
const refusedDeadlineMs = 120_000;

/** F16: an index is rebuilt while documents and queries come in, and its rebuilder is killed, at the switch too. */
export const rebuildUnderFire: FaultRow = {
  fault: 'F16',
  title: 'rebuild while ingesting and querying, killed at every step up to the switch',
  passes: 'no query fails, and what was rebuilt is equal to what it replaces at the same sequence',
  mutations: [
    { name: 'switch-empties-first', breaks: 'the old index goes before the new one has caught up' },
    { name: 'switch-misses-tail', breaks: 'what was said since the rebuild began is not folded into what takes over' },
  ],
  run,
};

async function run(context: FaultContext): Promise<FaultOutcome> {
  const { seed, directory, mutation, fault, random } = context;
  const { documents, rounds, queries, killedAt } = scales[context.scale];
  await using stack = await startChaosStack({ directory, mutant: mutation, shortWaits: context.scale === 'short' });
  const producer = createProducer({ client: stack.client, corpus, name: `f16-${seed}`, batch, pauseMs });
  const history = createHistory({ seed, documents, dimension: ownDimension, space: ownSpace });
  const vectorOf = createVectorSource({ dimension: ownDimension, clusters: 64, seed: seed + 1 });
  await producer.send(history.first());
  await stack.client.ingest(corpus, [{ id: 'w-1', metadata: {} }], { waitSearchable: true });
  const fire = openFire(stack, producer, history.changes, vectorOf);
  const switched: Switched[] = [];
  let kills = 0;
  try {
    for (let round = 0; round < rounds; round++) {
      for (const step of fault ? killedAt : []) {
        kills += await killAt(step, stack, random);
        context.report(`round ${round + 1}: killed at "${step}", ${fire.asked()} queries`);
      }
      switched.push(await letThrough(stack));
      context.report(`round ${round + 1}: ${switched.at(-1)?.seen}`);
    }
  } finally {
    await fire.cease();
  }
  const wrong = switched.find(({ equal }) => !equal);
  const acknowledged = await checkAcknowledged(stack.operator, producer.acknowledged);
  return {
    checks: [
      check(
        'no query fails',
        fire.asked() > 0 && fire.failed() === 0,
        `${fire.failed()} of ${fire.asked()}; ${fire.firstFailure()}`,
      ),
      check(
        'H: what is rebuilt equals what it replaces at the same sequence, and takes over',
        wrong === undefined,
        wrong?.seen ?? `${switched.length} of ${rounds} times`,
      ),
      ...(await checkDigest(stack)),
      await checkRecall(
        stack,
        corpus,
        Array.from({ length: queries }, (_, row) => vectorOf(row)),
      ),
      ...acknowledged.checks.filter(({ oracle }) => !oracle.includes('exactly')),
      checkNoCrash(stack),
    ],
    counts: {
      documents: producer.documents(),
      kills,
      rebuilds: switched.length,
      queries: fire.asked(),
      queriesFailedInRebuild: fire.failed(),
      acknowledgedLost: acknowledged.lost,
      ...spreadOf(
        'rebuild',
        switched.map(({ durationMs }) => durationMs),
      ),
    },
  };
}

interface Fire {
  asked(): number;
  failed(): number;
  firstFailure(): string;
  cease(): Promise<void>;
}

/** Searches and changes without a pause worth the name, until it ceases. */
function openFire(
  stack: ChaosStack,
  producer: Producer,
  changes: ReturnType<typeof createHistory>['changes'],
  vectorOf: (row: number) => Float32Array,
): Fire {
  let ceased = false;
  let [asked, failed, first] = [0, 0, ''];
  const query = async () => {
    while (!ceased) {
      const failure = await failureOf(stack, vectorOf(asked++));
      if (failure !== undefined) {
        failed++;
        first ||= failure;
      }
      await delay(queryEveryMs);
    }
  };
  const say = async () => {
    while (!ceased) await producer.send(changes(batch));
  };
  const done = Promise.all([query(), query(), say()]);
  return {
    asked: () => asked,
    failed: () => failed,
    firstFailure: () => first || 'all were answered',
    cease: async () => {
      ceased = true;
      await done;
    },
  };
}

/** Why a search failed; ten documents are always there. */
async function failureOf({ url }: ChaosStack, query: Float32Array): Promise<string | undefined> {
  try {
    const response = await fetch(`${url}/v1/matrix/search`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query_vector: [...query], corpora: [corpus], k: 10 }),
    });
    const body = (await response.json()) as { readonly results?: readonly unknown[] };
    if (response.status !== 200) return `status ${response.status}: ${JSON.stringify(body).slice(0, 200)}`;
    return body.results?.length === 10 ? undefined : `${body.results?.length} results`;
  } catch (error) {
    return String(error);
  }
}

const task: Task = { task: 'rebuild', corpus, kind: 'documents', compare: true, force: false, side: null };

/** Starts a rebuild and kills it at a step; 1 where it was killed there, 0 where it had ended before. */
async function killAt(step: string, stack: ChaosStack, random: Random): Promise<number> {
  const rebuild = await startUnrefused(stack);
  const reached = await rebuild.untilStep(step);
  await delay(below(random, killWithinMs));
  return reached ? await rebuild.kill9() : 0;
}

interface Switched {
  readonly equal: boolean;
  readonly seen: string;
  readonly durationMs: number;
}

/** A rebuild from its beginning to its end, and until the index worker answers from what it built. */
async function letThrough(stack: ChaosStack): Promise<Switched> {
  const began = performance.now();
  const rebuild = await startUnrefused(stack);
  const result = await rebuild.ended;
  const durationMs = performance.now() - began;
  if (result.failure !== undefined) return { equal: false, seen: result.failure, durationMs };
  const [one] = result.runs;
  if (one === undefined) return { equal: false, seen: 'nothing was rebuilt', durationMs };
  if (!one.switched) return { equal: false, seen: one.outcome, durationMs };
  const deadline = performance.now() + takenDeadlineMs;
  while (performance.now() < deadline) {
    const { indexes } = await stack.client.indexInfo();
    if (indexes.some(({ rebuilt_by }) => rebuilt_by === one.run_id))
      return {
        equal: one.equal === true,
        seen: `${one.outcome}, digests ${one.equal === true ? 'equal' : 'DIFFER'}`,
        durationMs,
      };
    await delay(refusedRetryMs / 5);
  }
  return { equal: false, seen: `${one.outcome}, and not taken up within ${takenDeadlineMs / 1_000} s`, durationMs };
}

/** One rebuild of a corpus at a time: one that finds another's lease, though its owner was killed, is started again. */
async function startUnrefused(stack: ChaosStack): Promise<Rebuild> {
  const deadline = performance.now() + refusedDeadlineMs;
  for (;;) {
    const rebuild = startRebuild(stack, task);
    if ((await rebuild.begun) || performance.now() > deadline) return rebuild;
    await delay(refusedRetryMs);
  }
}
