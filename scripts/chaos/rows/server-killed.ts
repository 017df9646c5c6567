import { setTimeout as delay } from 'node:timers/promises';
import { readStreamState } from '../../../streams/stream-reader.ts';
import { below } from '../../random.ts';
import { createHistory } from '../../testing/history.ts';
import type { FaultContext, FaultOutcome, FaultRow } from '../fault-row.ts';
import { readCounter } from '../metrics.ts';
import { checkAcknowledged } from '../oracles/acknowledged.ts';
import { checkNoCrash, spreadOf } from '../oracles/alive.ts';
import { check } from '../oracles/check.ts';
import { checkDigest } from '../oracles/digest.ts';
import { createProducer } from '../producer.ts';
import { type ChaosStack, ownDimension, ownSpace, startChaosStack } from '../stack.ts';

const scales = {
  short: { documents: 1_500, kills: 2 },
  long: { documents: 30_000, kills: 30 },
} as const;
const corpus = 'workers';
const batch = 250;
/** The kill comes within so long of a part's first batch: while it is sent and worked on. */
const killWithinMs = 250;
/** So long the server stays away at most. */
const awayMsMax = 400;

/** F3: nats-server is killed again and again while documents come in. */
export const serverKilled: FaultRow = {
  fault: 'F3',
  title: 'kill -9 of nats-server while documents come in',
  passes: 'nothing acknowledged is lost or doubled, the state is the fold of the log, and work goes on by itself',
  mutations: [{ name: 'lost-publish-taken-for-done', breaks: 'a publish whose ack does not come is taken for done' }],
  run,
};

async function run(context: FaultContext): Promise<FaultOutcome> {
  const { seed, random, directory, mutation, fault } = context;
  const { documents, kills } = scales[context.scale];
  await using stack = await startChaosStack({
    directory,
    mutant: mutation,
    shortWaits: context.scale === 'short',
    environment: { LAKEHOUSE_METRICS_OPEN: 'true' },
  });
  const producer = createProducer({ client: stack.client, corpus, name: `f3-${seed}`, batch });
  const history = createHistory({ seed, documents, dimension: ownDimension, space: ownSpace });
  const said = [...history.first(), ...history.changes(Math.floor(documents / 5))];
  const part = Math.ceil(said.length / kills);
  const readyMs: number[] = [];
  let killed = 0;
  for (let at = 0; at < kills; at++) {
    const sending = producer.send(said.slice(at * part, (at + 1) * part));
    if (fault) {
      await delay(below(random, killWithinMs));
      await stack.server.kill9();
      killed++;
      await delay(below(random, awayMsMax));
      readyMs.push(await restart(stack));
    }
    await sending;
    context.report(`${producer.documents()} documents, ${killed} kills`);
  }
  const digests = await checkDigest(stack);
  const acknowledged = await checkAcknowledged(stack.operator, producer.acknowledged);
  const delivered = await readCounter(stack.urlOf('ingest'), 'lakehouse_reactor_message_duration_seconds_count', {
    worker: 'ingest',
  });
  const { lastSequence } = await readStreamState(stack.operator, 'INGEST');
  return {
    checks: [
      ...digests,
      ...acknowledged.checks,
      checkNoCrash(stack),
      check('everything that was sent is acknowledged', producer.documents() === said.length, producer.documents()),
    ],
    counts: {
      documents: producer.documents(),
      kills: killed,
      requestsSentAgain: producer.retries(),
      duplicatesDelivered: Math.max(0, delivered - lastSequence),
      acknowledgedLost: acknowledged.lost,
      ...spreadOf('ready', readyMs),
    },
  };
}

/** Starts the server again; from its start to the gateway's being ready, in milliseconds. */
async function restart(stack: ChaosStack): Promise<number> {
  const began = performance.now();
  await stack.server.restart();
  await stack.of('gateway').untilReady();
  return performance.now() - began;
}
