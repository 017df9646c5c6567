import { setTimeout as delay } from 'node:timers/promises';
import { appendBytes } from '../../../streams/append.ts';
import type { Failpoint } from '../../../streams/failpoints.ts';
import { readStream } from '../../../streams/read-stream.ts';
import { below } from '../../random.ts';
import { createHistory, type History } from '../../testing/history.ts';
import type { Check, FaultContext, FaultOutcome, FaultRow } from '../fault-row.ts';
import { checkAcknowledged } from '../oracles/acknowledged.ts';
import { check } from '../oracles/check.ts';
import { checkDigest } from '../oracles/digest.ts';
import { checkPrefix, type Sight, seeDigests } from '../oracles/prefix.ts';
import { createProducer, type Producer } from '../producer.ts';
import { type ChaosStack, ownDimension, ownSpace, startChaosStack } from '../stack.ts';

const corpus = 'workers';
const scales = {
  short: { documents: 300, changes: 40, repeats: 1 },
  long: { documents: 5_000, changes: 120, repeats: 10 },
} as const;
const batch = 100;
const snapshotIntervalMs = 250;
const reachedWithinMs = 30_000;
const lookEveryMs = 10;

interface Place {
  readonly process: 'ingest' | 'embed' | 'index';
  readonly point: Failpoint;
  /** It may be passed so often before it kills. */
  readonly hitsMax: number;
}

/** Where a process is killed. Snapshots come often, and with every change; one is let go for each that is taken. */
const places: readonly Place[] = [
  { process: 'index', point: 'folded', hitsMax: 30 },
  { process: 'index', point: 'graph-writing', hitsMax: 1 },
  { process: 'index', point: 'object-written', hitsMax: 2 },
  { process: 'index', point: 'object-renamed', hitsMax: 2 },
  { process: 'index', point: 'bodies-written', hitsMax: 1 },
  { process: 'index', point: 'manifest-written', hitsMax: 1 },
  { process: 'index', point: 'pruning', hitsMax: 1 },
  { process: 'ingest', point: 'decided', hitsMax: 20 },
  { process: 'ingest', point: 'appended', hitsMax: 20 },
  { process: 'ingest', point: 'set-aside', hitsMax: 1 },
  { process: 'embed', point: 'decided', hitsMax: 20 },
  { process: 'embed', point: 'appended', hitsMax: 20 },
];

/** F2: processes that kill themselves at named places. */
export const killedAtPoints: FaultRow = {
  fault: 'F2',
  title: 'kill -9 at named points: between fold and checkpoint, while a graph is written, before and after a manifest',
  passes: 'each time the state is the fold of the log after the next start, and nothing is lost or set aside twice',
  mutations: [
    { name: 'acked-before-appended', breaks: 'a message is acknowledged before what it decided is appended' },
    { name: 'checkpoint-ahead', breaks: 'the checkpoint of a snapshot runs ahead of what is folded' },
  ],
  run,
};

interface Run {
  readonly stack: ChaosStack;
  readonly producer: Producer;
  readonly history: History;
  readonly changes: number;
  readonly context: FaultContext;
  poisons: number;
}

async function run(context: FaultContext): Promise<FaultOutcome> {
  const { seed, directory, mutation, fault } = context;
  const { documents, changes, repeats } = scales[context.scale];
  await using stack = await startChaosStack({
    directory,
    shortWaits: context.scale === 'short',
    mutant: mutation === undefined ? 'small-graphs' : `small-graphs,${mutation}`,
    environments: {
      index: { LAKEHOUSE_SNAPSHOT_INTERVAL_MS: String(snapshotIntervalMs), LAKEHOUSE_SNAPSHOTS_KEPT: '1' },
    },
  });
  const producer = createProducer({ client: stack.client, corpus, name: `f2-${seed}`, batch });
  const history = createHistory({ seed, documents, dimension: ownDimension, space: ownSpace });
  const own: Run = { stack, producer, history, changes, context, poisons: 0 };
  await producer.send(history.first());
  const sights: Sight[] = [];
  const notReached: string[] = [];
  let kills = 0;
  const chosen = places.filter(({ process, point }) => concerns(mutation, process, point));
  for (let repeat = 0; repeat < repeats; repeat++)
    for (const [at, place] of chosen.entries()) {
      // The first of a repeat comes behind the last of the one before.
      const before = (chosen[at - 1] ?? (repeat === 0 ? undefined : chosen.at(-1)))?.process;
      if (before !== undefined && before !== place.process) await startAnew(stack, before);
      const killed = await killAt(place, before !== place.process, own, sights);
      if (killed) kills++;
      else if (fault) notReached.push(`${place.process} ${place.point}`);
    }
  for (const process of ['ingest', 'embed', 'index'] as const) await startAnew(stack, process);
  context.report(`${kills} kills at ${places.length} points`);
  const checks = [
    check('every point was reached', notReached.length === 0, notReached.join(', ') || `${kills} kills`),
    await checkPrefix(stack.operator, sights),
    ...(await checkDigest(stack)),
    await checkSetAside(own),
    ...(await checkAcknowledged(stack.operator, producer.acknowledged)).checks,
  ];
  return { checks, counts: { documents: producer.documents(), kills, points: places.length, sights: sights.length } };
}

/** A guard that is broken is looked for where it would show. */
function concerns(mutation: string | undefined, process: string, point: Failpoint): boolean {
  if (mutation === undefined) return true;
  return mutation === 'checkpoint-ahead' ? point === 'manifest-written' : process === 'ingest' && point === 'decided';
}

/**
 * Starts the process with its failpoint and says something until it has killed itself. What it then knows is looked at
 * when it is started again, with the failpoint that is next.
 */
async function killAt(
  { process, point, hitsMax }: Place,
  isFirst: boolean,
  run: Run,
  sights: Sight[],
): Promise<boolean> {
  const { stack, producer, history, changes, context } = run;
  const target = stack.of(process);
  if (context.fault) {
    if (isFirst) await target.kill9();
    const hit = 1 + below(context.random, hitsMax);
    await target.start({ LAKEHOUSE_FAILPOINT: `${point}:${hit}` });
    // It may come by its failpoint while it starts.
    while (target.isRunning() && !(await target.isReady())) await delay(lookEveryMs);
  }
  const sight = await seeDigests(stack);
  if (sight !== undefined) sights.push(sight);
  await producer.send(history.changes(changes));
  if (point === 'set-aside') await poison(run);
  // Another end than the failpoint's own is not the fault that is asked for.
  return context.fault && (await untilEnded(() => !target.isRunning())) && target.lastEnd()?.signal === 'SIGKILL';
}

async function startAnew(stack: ChaosStack, process: Place['process']): Promise<void> {
  await stack.of(process).kill9();
  await stack.of(process).start();
  await stack.of(process).untilReady();
}

/** Says what can not be taken, past the gateway. */
async function poison(run: Run): Promise<void> {
  const messageId = `poison-${run.poisons++}`;
  await appendBytes(run.stack.operator, `ingest.${corpus}`, Buffer.from('{"id":'), { messageId });
}

async function untilEnded(isOver: () => boolean): Promise<boolean> {
  const deadline = performance.now() + reachedWithinMs;
  while (!isOver() && performance.now() < deadline) await delay(lookEveryMs);
  return isOver();
}

async function checkSetAside({ stack, poisons }: Run): Promise<Check> {
  let rows = 0;
  for await (const _ of readStream(stack.operator, 'REJECTED')) rows++;
  return check('what can not be taken is set aside once', rows === poisons, `${rows} rows of ${poisons} messages`);
}
