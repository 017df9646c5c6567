import { setTimeout as delay } from 'node:timers/promises';
import { below } from '../../random.ts';
import { createVectorSource } from '../../staffing/own-vectors.ts';
import { createHistory } from '../../testing/history.ts';
import type { FaultContext, FaultOutcome, FaultRow } from '../fault-row.ts';
import { mutantEnvironment } from '../mutants.ts';
import { checkAcknowledged } from '../oracles/acknowledged.ts';
import { checkNoCrash, spreadOf } from '../oracles/alive.ts';
import { checkDigest, checkSameEverywhere } from '../oracles/digest.ts';
import { checkPrefix, type Sight, seeDigests, seeSearch } from '../oracles/prefix.ts';
import { checkRecall } from '../oracles/recall.ts';
import { createProducer } from '../producer.ts';
import { ownDimension, ownSpace, startChaosStack } from '../stack.ts';

const scales = {
  short: { documents: 400, parts: 2, queries: 20 },
  long: { documents: 10_000, parts: 20, queries: 100 },
} as const;
const corpus = 'workers';
const killWithinMs = 300;
const changesAtTheEnd = 200;

/** F14: two index workers fold the same streams at once, over one object store; one of them is killed now and then. */
export const partitionTwice: FaultRow = {
  fault: 'F14',
  title: 'two workers folding the same partition, one of them killed now and then',
  passes: 'both are right at every position, and the digest is the same',
  mutations: [{ name: 'fold-leaves-out', breaks: 'one of the two leaves out every fiftieth event' }],
  run,
};

async function run(context: FaultContext): Promise<FaultOutcome> {
  const { seed, random, directory, mutation, fault } = context;
  const { documents, parts, queries } = scales[context.scale];
  const second = fault ? (['index-2'] as const) : [];
  const snapshots = { LAKEHOUSE_SNAPSHOT_INTERVAL_MS: '700' };
  await using stack = await startChaosStack({
    directory,
    processes: ['ingest', 'embed', 'index', ...second],
    environments: { index: snapshots, 'index-2': { ...snapshots, ...mutantEnvironment(mutation) } },
  });
  const producer = createProducer({ client: stack.client, corpus, name: `f14-${seed}`, batch: 100, pauseMs: 10 });
  const history = createHistory({ seed, documents, dimension: ownDimension, space: ownSpace });
  const vectorOf = createVectorSource({ dimension: ownDimension, clusters: 64, seed: seed + 1 });
  const said = [...history.first(), ...history.changes(Math.floor(documents / 2))];
  const part = Math.ceil(said.length / parts);
  const sights: Sight[] = [];
  const recoveryMs: number[] = [];
  for (let at = 0; at < parts; at++) {
    const sending = producer.send(said.slice(at * part, (at + 1) * part));
    if (fault) {
      await delay(below(random, killWithinMs));
      const began = performance.now();
      await stack.of('index-2').kill9();
      await stack.of('index-2').start();
      await stack.of('index-2').untilReady();
      recoveryMs.push(performance.now() - began);
    }
    await sending;
    // Asked several times: whichever of the two answers.
    for (let ask = 0; ask < 4; ask++)
      for (const sight of [await seeDigests(stack), await seeSearch(stack.url, corpus, vectorOf(at))])
        if (sight !== undefined) sights.push(sight);
    context.report(`${producer.documents()} documents, ${recoveryMs.length} kills`);
  }
  // Folded by both of them: a worker that was just started may have taken all of its state from the other's snapshot.
  await producer.send(history.changes(changesAtTheEnd));
  const digests = await checkDigest(stack);
  const acknowledged = await checkAcknowledged(stack.operator, producer.acknowledged);
  return {
    checks: [
      ...digests,
      await checkSameEverywhere(stack, 1 + second.length),
      await checkPrefix(stack.operator, sights),
      await checkRecall(
        stack,
        corpus,
        Array.from({ length: queries }, (_, row) => vectorOf(row + parts)),
      ),
      ...acknowledged.checks,
      checkNoCrash(stack),
    ],
    counts: {
      documents: producer.documents(),
      kills: recoveryMs.length,
      workers: 1 + second.length,
      sights: sights.length,
      acknowledgedLost: acknowledged.lost,
      ...spreadOf('recovery', recoveryMs),
    },
  };
}
