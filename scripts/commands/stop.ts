import { numberOf } from '../command/arguments.ts';
import { command } from '../command/define.ts';
import { CommandError } from '../command/errors.ts';
import { dataDirArgument, dataDirectoryOf } from '../command/gateway.ts';
import { nothingRuns } from '../command/log-access.ts';
import { exitCodes } from '../exit-codes.ts';
import { formatDuration } from '../progress.ts';
import { stopRunning } from '../supervise/running.ts';

export default command({
  summary: 'Stops what "up" started, and waits until it has ended.',
  examples: ['stop', 'stop --data-dir /var/lib/lakehouse'],
  args: {
    ...dataDirArgument,
    timeout: { type: 'string', default: '90', description: 'Seconds after which it is ended by force.' },
  },
  async run({ args, output }) {
    const dataDirectory = dataDirectoryOf(args['data-dir'], process.env);
    const timeoutMs = numberOf('timeout', args.timeout, { min: 1, max: 3_600 }) * 1_000;
    const beganMs = performance.now();
    const outcome = await stopRunning(dataDirectory, timeoutMs);
    if (outcome === 'not-running') throw nothingRuns(dataDirectory);
    if (outcome === 'killed') throw killed(timeoutMs);
    const elapsedMs = performance.now() - beganMs;
    output.answer({ stopped: true, elapsed_ms: Math.round(elapsedMs) }, `Stopped after ${formatDuration(elapsedMs)}.`);
    return exitCodes.done;
  },
});

function killed(timeoutMs: number): CommandError {
  return new CommandError(exitCodes.failed, {
    happened: `it had not ended ${timeoutMs / 1_000} s after it was told to, and was ended by force`,
    means: 'A worker hung. What was acknowledged is in the log; work that was not finished is done again.',
    remedy: 'See the log files below the data directory (logs/) for which one and why.',
  });
}
