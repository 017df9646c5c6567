import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { distDirectory } from '../../command/paths.ts';
import { createHistory } from '../../testing/history.ts';
import type { FaultContext, FaultOutcome, FaultRow } from '../fault-row.ts';
import { mutantEnvironment } from '../mutants.ts';
import { checkAcknowledged } from '../oracles/acknowledged.ts';
import { check } from '../oracles/check.ts';
import { checkDigest } from '../oracles/digest.ts';
import { checkPrefix, type Sight, seeDigests } from '../oracles/prefix.ts';
import { createProducer } from '../producer.ts';
import { ownDimension, ownSpace, startChaosStack } from '../stack.ts';

const corpus = 'workers';
const scales = { short: { documents: 200, rounds: 2 }, long: { documents: 5_000, rounds: 12 } } as const;
const batch = 100;
const dayMs = 86_400_000;

/** F13: wall clocks of the workers. The server's own jumps in the simulator (F21). */
export const clocksOff: FaultRow = {
  fault: 'F13',
  title: 'wall clocks of the workers a day ahead, a day behind, and jumping back; other ones after every start',
  passes: 'order is by sequence only: the state is the fold of the log, booted from whichever snapshot went furthest',
  mutations: [
    { name: 'versions-by-clock', breaks: 'a version is the time of the worker that folds, not its sequence' },
  ],
  run,
};

async function run(context: FaultContext): Promise<FaultOutcome> {
  const { seed, directory, mutation, fault } = context;
  const { documents, rounds } = scales[context.scale];
  const off = (...shiftsMs: number[]) => (fault ? clockEnvironment(mutation, shiftsMs) : {});
  await using stack = await startChaosStack({
    directory,
    mutant: mutation,
    environments: {
      ingest: off(dayMs),
      embed: off(-dayMs),
      gateway: off(2 * dayMs),
      index: { ...off(dayMs, -dayMs), LAKEHOUSE_SNAPSHOT_INTERVAL_MS: '300' },
    },
  });
  const producer = createProducer({ client: stack.client, corpus, name: `f13-${seed}`, batch });
  const history = createHistory({ seed, documents, dimension: ownDimension, space: ownSpace });
  const sights: Sight[] = [];
  await producer.send(history.first());
  for (let round = 0; round < rounds; round++) {
    await producer.send(history.changes(documents / 4));
    const sight = await seeDigests(stack);
    if (sight !== undefined) sights.push(sight);
    // A later life may be earlier by its clock, and takes its snapshots under names that sort before those that are there.
    await stack.of('index').terminate();
    await stack.of('index').start(off(round % 2 === 0 ? -3 * dayMs : dayMs));
    await stack.of('index').untilReady();
    await stack.of('ingest').terminate();
    await stack.of('ingest').start(off(round % 2 === 0 ? -dayMs : dayMs));
  }
  const { snapshot } = await stack.client.indexInfo();
  return {
    checks: [
      ...(await checkDigest(stack)),
      await checkPrefix(stack.operator, sights),
      check('it booted from a snapshot', snapshot !== null, snapshot?.created_at ?? 'none'),
      ...(await checkAcknowledged(stack.operator, producer.acknowledged)).checks,
    ],
    counts: { documents: producer.documents(), restarts: 2 * rounds, sights: sights.length },
  };
}

function clockEnvironment(mutation: string | undefined, shiftsMs: readonly number[]): Record<string, string> {
  const shift = pathToFileURL(join(distDirectory(), 'scripts', 'chaos', 'clock-shift.js')).href;
  const { NODE_OPTIONS: mutant = '', ...rest } = mutantEnvironment(mutation);
  const imports = `${mutant} --import=${shift}`.trim();
  return { ...rest, NODE_OPTIONS: imports, LAKEHOUSE_CLOCK_SHIFT: shiftsMs.join(':') };
}
