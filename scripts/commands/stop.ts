import { systemClock } from '../../streams/clock.ts';
import { numberOf } from '../command/arguments.ts';
import { command } from '../command/define.ts';
import { CommandError } from '../command/errors.ts';
import { dataDirArgument, dataDirectoryOf } from '../command/gateway.ts';
import { nothingRuns } from '../command/log-access.ts';
import { exitCodes } from '../exit-codes.ts';
import { isAlive, readStackRecord } from '../stack/record.ts';

const pollMs = 50;

export default command({
  summary: 'Stops what "up" started, and waits until it has ended.',
  examples: ['stop', 'stop --data-dir /var/lib/lakehouse'],
  args: {
    ...dataDirArgument,
    timeout: { type: 'string', default: '60', description: 'Seconds to wait for the end.' },
  },
  async run({ args, output }) {
    const dataDirectory = dataDirectoryOf(args['data-dir'], process.env);
    const timeoutMs = numberOf('timeout', args.timeout, { min: 1, max: 3_600 }) * 1_000;
    const record = await readStackRecord(dataDirectory);
    if (record === undefined) throw nothingRuns(dataDirectory);
    process.kill(record.pid, 'SIGTERM');
    const startedAtMs = systemClock.monotonicMs();
    while (isAlive(record.pid)) {
      if (systemClock.monotonicMs() - startedAtMs > timeoutMs) throw stillRunning(record.pid, timeoutMs);
      await systemClock.sleep(pollMs);
    }
    const elapsedMs = Math.round(systemClock.monotonicMs() - startedAtMs);
    output.answer({ stopped: true, pid: record.pid, elapsed_ms: elapsedMs }, `Stopped after ${elapsedMs} ms.`);
    return exitCodes.done;
  },
});

function stillRunning(pid: number, timeoutMs: number): CommandError {
  return new CommandError(exitCodes.failed, {
    happened: `process ${pid} was told to stop and has not ended within ${timeoutMs / 1_000} s`,
    means: 'Workers finish what they took; one of them may hang.',
    todo: `See the log files, or end it by force with "kill -9 ${pid}": nothing acknowledged is lost.`,
  });
}
