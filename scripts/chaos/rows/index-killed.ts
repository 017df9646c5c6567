import { setTimeout as delay } from 'node:timers/promises';
import { below, chance, type Random } from '../../random.ts';
import { createVectorSource } from '../../staffing/own-vectors.ts';
import { createHistory } from '../../testing/history.ts';
import type { FaultContext, FaultOutcome, FaultRow } from '../fault-row.ts';
import { checkAcknowledged } from '../oracles/acknowledged.ts';
import { checkNoCrash, spreadOf } from '../oracles/alive.ts';
import { checkDigest } from '../oracles/digest.ts';
import { checkPrefix, type Sight, seeDigests, seeSearch } from '../oracles/prefix.ts';
import { checkRecall } from '../oracles/recall.ts';
import { createProducer } from '../producer.ts';
import { type ChaosStack, ownDimension, ownSpace, startChaosStack } from '../stack.ts';

const corpus = 'workers';
const clusters = 64;
const scales = {
  short: { documents: 600, kills: 2, queries: 20 },
  long: { documents: 50_000, kills: 60, queries: 200 },
} as const;
/** The kill comes at a random moment of so long behind the first batch of its part. */
const killWithinMs = 400;
/** Some kills come while the worker before is still starting. */
const killWhileStarting = 0.2;
const pauseMs = 20;
const batch = 100;
const snapshotIntervalMs = 400;

/** F1: the index worker is killed again and again while documents come in. */
export const indexKilled: FaultRow = {
  fault: 'F1',
  title: 'kill -9 of the index worker at random points of an ingest',
  passes: 'what it serves is the fold of the log, what readers see is a prefix of it, and searches find what is there',
  mutations: [
    { name: 'checkpoint-ahead', breaks: 'the position, and the checkpoint of a snapshot, run ahead of what is folded' },
    { name: 'search-skips-nearest', breaks: 'a search leaves out the nearest that it found' },
  ],
  run,
};

async function run(context: FaultContext): Promise<FaultOutcome> {
  const { seed, random, directory, mutation, fault } = context;
  const { documents, kills: killsPlanned, queries } = scales[context.scale];
  await using stack = await startChaosStack({
    directory,
    mutant: mutation,
    environments: { index: { LAKEHOUSE_SNAPSHOT_INTERVAL_MS: String(snapshotIntervalMs) } },
  });
  const producer = createProducer({ client: stack.client, corpus, name: `f1-${seed}`, batch, pauseMs });
  const history = createHistory({ seed, documents, dimension: ownDimension, space: ownSpace });
  const vectorOf = createVectorSource({ dimension: ownDimension, clusters, seed: seed + 1 });
  const sights: Sight[] = [];
  const kills = { count: 0, recoveryMs: [] as number[] };
  const said = [...history.first(), ...history.changes(Math.floor(documents / 10))];
  const part = Math.ceil(said.length / killsPlanned);
  for (let at = 0; at < killsPlanned; at++) {
    const sending = producer.send(said.slice(at * part, (at + 1) * part));
    if (fault) await killOnce(stack, random, kills);
    await sending;
    await look(stack, vectorOf(at), sights);
    context.report(`${producer.documents()} documents, ${kills.count} kills`);
  }
  const acknowledged = await checkAcknowledged(stack.operator, producer.acknowledged);
  return {
    checks: [
      ...(await checkDigest(stack)),
      await checkPrefix(stack.operator, sights),
      await checkRecall(
        stack,
        corpus,
        Array.from({ length: queries }, (_, row) => vectorOf(row + killsPlanned)),
      ),
      ...acknowledged.checks,
      checkNoCrash(stack),
    ],
    counts: {
      documents: producer.documents(),
      kills: kills.count,
      requestsSentAgain: producer.retries(),
      ...spreadOf('recovery', kills.recoveryMs),
      acknowledgedLost: acknowledged.lost,
      sights: sights.length,
    },
  };
}

interface Kills {
  count: number;
  /** From each kill to ready again. */
  readonly recoveryMs: number[];
}

async function killOnce(stack: ChaosStack, random: Random, kills: Kills): Promise<void> {
  const index = stack.of('index');
  await delay(below(random, killWithinMs));
  const began = performance.now();
  await index.kill9();
  kills.count++;
  await index.start();
  if (chance(random, killWhileStarting)) {
    await delay(below(random, killWithinMs));
    await index.kill9();
    kills.count++;
    await index.start();
  }
  await index.untilReady();
  kills.recoveryMs.push(performance.now() - began);
}

async function look(stack: ChaosStack, query: Float32Array, sights: Sight[]): Promise<void> {
  for (const sight of [await seeDigests(stack), await seeSearch(stack.url, corpus, query)])
    if (sight !== undefined) sights.push(sight);
}
