import type { GatewayClient } from '../../gateway/client/client.ts';
import type { IndexRebuildRun } from '../../schemas/events/lines.ts';
import { systemClock } from '../../streams/clock.ts';
import { CommandError } from '../command/errors.ts';
import { exitCodes } from '../exit-codes.ts';

const lookEveryMs = 100;
const deadlineMs = 120_000;

/** Waits until the index worker that answers has taken up what a run built. */
export async function untilServed(client: GatewayClient, run: IndexRebuildRun): Promise<void> {
  const deadline = systemClock.monotonicMs() + deadlineMs;
  for (;;) {
    const { indexes } = await client.indexInfo();
    const taken = indexes.some(({ rebuilt_by, side }) => rebuilt_by === run.run_id && side === run.side);
    if (taken) return;
    if (systemClock.monotonicMs() > deadline) throw notTaken(run);
    await systemClock.sleep(lookEveryMs);
  }
}

function notTaken(run: IndexRebuildRun): CommandError {
  return new CommandError(exitCodes.failed, {
    happened: `the index worker did not take up run ${run.run_id} within ${deadlineMs / 1_000} s`,
    means: 'The switch is on the log and the old index answers until it is followed.',
    remedy: 'See the index worker\'s log, and "lakehouse status".',
  });
}
