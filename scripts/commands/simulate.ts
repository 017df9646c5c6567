import { numberFlag } from '../command/arguments.ts';
import { command } from '../command/define.ts';
import { usageError } from '../command/errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { simulateSeeds } from '../simulation/campaign.ts';
import { type SimulatedMutation, simulatedMutations } from '../simulation/mutations.ts';
import { simulate } from '../simulation/run.ts';

const seedMax = 2 ** 31 - 1;
const seedsDefault = 2_000;

export default command({
  summary: 'Runs the handlers and runtimes over a log in memory, under faults, in virtual time: one seed, one history.',
  examples: ['simulate --seeds 100', 'simulate --seed 7', 'simulate --mutation no-compare-and-set'],
  args: {
    seeds: { type: 'string', valueHint: 'N', description: `How many seeds are run. Default: ${seedsDefault}.` },
    from: { type: 'string', valueHint: 'SEED', description: 'The first of them. Default: 1.' },
    seed: { type: 'string', valueHint: 'SEED', description: 'Runs this one, and tells everything that happens in it.' },
    mutation: {
      type: 'string',
      valueHint: 'NAME',
      description: `Breaks a guard, and runs until that is seen: ${simulatedMutations.map(({ name }) => name).join(', ')}.`,
    },
    control: { type: 'boolean', description: 'The same histories, and nothing goes wrong.' },
  },
  async run({ args, output }) {
    const mutation = readMutation(args.mutation);
    const fault = args.control !== true;
    const say = (line: string) => void output.progress.write(`${line}\n`);
    const one = numberFlag('seed', args.seed, { min: 0, max: seedMax });
    if (one !== undefined) {
      const result = await simulate({ seed: one, fault, mutation, tell: say });
      const text = result.failures.length === 0 ? `seed ${one}: everything holds` : result.failures.join('\n');
      output.answer(result, text);
      return result.failures.length === 0 ? exitCodes.done : exitCodes.differs;
    }
    const first = numberFlag('from', args.from, { min: 0, max: seedMax }) ?? 1;
    const count = numberFlag('seeds', args.seeds, { min: 1, max: seedMax - first }) ?? seedsDefault;
    const onProgress = (done: number) => say(`${done} of ${count} seeds`);
    const untilFailure = mutation !== undefined;
    const result = await simulateSeeds({ first, count, fault, mutation, untilFailure, onProgress });
    const perMinute = Math.round(result.seedsPerMinute).toLocaleString('en-US');
    const failures = result.failed.map(
      ({ seed, failures: [failure] }) => `seed ${seed}: ${failure}\n  "lakehouse simulate --seed ${seed}" tells it`,
    );
    output.answer(
      result,
      [`${result.seeds} seeds, ${perMinute} a minute of one core; ${result.failed.length} failed`, ...failures].join(
        '\n',
      ),
    );
    return result.failed.length === 0 ? exitCodes.done : exitCodes.differs;
  },
});

function readMutation(name: string | undefined): SimulatedMutation | undefined {
  if (name === undefined) return undefined;
  const found = simulatedMutations.find((one) => one.name === name);
  if (found !== undefined) return found;
  throw usageError(
    `there is no mutation "${name}"`,
    `There are ${simulatedMutations.map((one) => one.name).join(', ')}.`,
  );
}
