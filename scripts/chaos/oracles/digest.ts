import type { VerifyReport } from '../../../workers/rebuild/task.ts';
import { runTask } from '../../rebuild/run-task.ts';
import type { Check } from '../fault-row.ts';
import type { ChaosStack } from '../stack.ts';
import { attempt, check } from './check.ts';

/** What somebody had in hand who is gone comes again after an ack wait of up to a minute, and again if it fails then. */
const settleDeadlineMs = 240_000;

const sameState = 'H: the live state is the fold of VECTORS and PLAYBOOKS';
const sameAsSaid = 'H: ids, versions, hashes and metadata are what INGEST alone says';

/**
 * H, by both of the product's oracles and in a process of its own (`lakehouse verify`): waits until everything that was
 * said is worked on, then compares the live digests with a clean single-pass fold of VECTORS and PLAYBOOKS to the same
 * position, and what that holds with a fold of INGEST alone. A verification that does not come to its end does not hold.
 */
export async function checkDigest(
  stack: Pick<ChaosStack, 'environmentOf'>,
  deadlineMs = settleDeadlineMs,
): Promise<Check[]> {
  let report: VerifyReport;
  try {
    report = await verifyState(stack, deadlineMs);
  } catch (error) {
    return [check(sameState, false, `it could not be verified: ${error instanceof Error ? error.message : error}`)];
  }
  const { digests, ingest } = report;
  const differing = digests
    .filter(({ equal }) => !equal)
    .map(({ kind, corpus, space }) => `${kind} ${corpus} ${space}`);
  const [first] = ingest.differences;
  return [
    check(
      sameState,
      digests.length > 0 && differing.length === 0,
      differing.length === 0 ? `${digests.length} digests equal` : `differing: ${differing.join(', ')}`,
    ),
    check(
      sameAsSaid,
      ingest.differing === 0,
      first === undefined
        ? `${ingest.documents} documents up to INGEST ${ingest.until}`
        : `${ingest.differing} differ; ${first.corpus}/${first.id}: said ${first.expected}, found ${first.found}`,
    ),
  ];
}

/** @throws CommandError where the verification does not come to its end */
export async function verifyState(
  stack: Pick<ChaosStack, 'environmentOf'>,
  deadlineMs = settleDeadlineMs,
): Promise<VerifyReport> {
  const environment = { ...process.env, ...stack.environmentOf('operator') };
  const result = await runTask({ task: 'verify', settleDeadlineMs: deadlineMs }, environment, () => undefined);
  if (result.say !== 'verified') throw new Error(`a verification answered "${result.say}"`);
  return result.report;
}

/** H over several index workers: each of them, asked until all have answered, tells the same digests. */
export async function checkSameEverywhere(stack: Pick<ChaosStack, 'client'>, workers: number): Promise<Check> {
  return attempt(`H: ${workers} index workers tell the same digests`, async () => {
    const told = new Map<string, string>();
    for (let asked = 0; asked < workers * askedPerWorkerMax && told.size < workers; asked++) {
      const { worker, indexes } = await stack.client.indexDigest();
      const text = indexes.map(({ kind, corpus, space, digest }) => `${kind} ${corpus} ${space} ${digest}`);
      told.set(worker, text.sort().join('\n'));
    }
    const different = new Set(told.values()).size;
    return {
      held: told.size === workers && different === 1,
      seen: `${told.size} answered (${[...told.keys()].join(', ')}), with ${different} different states`,
    };
  });
}

const askedPerWorkerMax = 50;
