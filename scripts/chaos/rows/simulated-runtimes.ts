import { simulateSeeds } from '../../simulation/campaign.ts';
import { simulatedMutations } from '../../simulation/mutations.ts';
import type { FaultContext, FaultOutcome, FaultRow } from '../fault-row.ts';
import { check } from '../oracles/check.ts';

const seedsOf = { short: 1_000, long: 100_000 } as const;
/** Without faults there is little to be found. */
const controlPart = 0.05;
/** A guard that is broken has to be seen within so many seeds. */
const mutationSeedsMax = 1_000;

/** F21: the handlers and the runtimes as they are, over a log in memory, in virtual time. */
export const simulatedRuntimes: FaultRow = {
  fault: 'F21',
  title: 'seeded simulations with drops, duplicates, reorderings, breaks, crashes and clocks that jump',
  passes: 'the state is the fold of INGEST, readers see prefixes, and nothing acknowledged is lost, under every seed',
  mutations: simulatedMutations.map(({ name, breaks }) => ({ name, breaks })),
  run,
};

async function run({ seed, scale, fault, mutation, report }: FaultContext): Promise<FaultOutcome> {
  const broken = simulatedMutations.find(({ name }) => name === mutation);
  const all = seedsOf[scale];
  const count = broken !== undefined ? mutationSeedsMax : fault ? all : Math.ceil(all * controlPart);
  const result = await simulateSeeds({
    first: seed,
    count,
    fault,
    mutation: broken,
    untilFailure: broken !== undefined,
    onProgress: (done) => report(`${done} of ${count} seeds`),
  });
  const [first] = result.failed;
  const seen =
    first === undefined
      ? `${result.seeds} seeds from ${seed} on`
      : `seed ${first.seed}, after ${result.seeds} seeds: ${first.failures[0]} ("lakehouse simulate --seed ${first.seed}" tells it)`;
  const { counts } = result;
  return {
    checks: [check('H, P, L and every rejection once, in every run', first === undefined, seen)],
    counts: {
      simulatorSeeds: result.seeds,
      seedsPerMinute: Math.round(result.seedsPerMinute),
      processorMs: Math.round(result.processorMs),
      eventsSaid: counts.events,
      simulatedKills: counts.kills,
      simulatedServerKills: counts.serverKills,
      snapshots: counts.snapshots,
      duplicatesDelivered: counts.redelivered,
      looks: counts.looks,
      virtualHours: Math.round(counts.virtualMs / 3_600_000),
    },
  };
}
