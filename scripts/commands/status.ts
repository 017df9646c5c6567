import { systemClock } from '../../streams/clock.ts';
import { numberFlag, numberOf } from '../command/arguments.ts';
import { command } from '../command/define.ts';
import { dataDirectoryOf, gatewayArguments, openGateway } from '../command/gateway.ts';
import { nothingRuns, openLog } from '../command/log-access.ts';
import type { Output } from '../command/output.ts';
import { exitCodes } from '../exit-codes.ts';
import { readStack } from '../stack/running.ts';
import { asked, readStatus } from '../stack/status.ts';
import { statusText } from '../stack/status-text.ts';
import { type WatchOptions, watchStatus } from '../stack/status-watch.ts';

export default command({
  summary: 'Tells what runs, how full the streams are, what waits, and what the index holds.',
  examples: ['status', 'status --json', 'status --watch', 'status --watch --interval 10 --looks 6 --json'],
  args: {
    ...gatewayArguments,
    watch: {
      type: 'boolean',
      description: 'Look again and again, with rates: drawn over on a terminal, else a line each.',
    },
    interval: { type: 'string', default: '2', description: 'Seconds between two looks of --watch.' },
    looks: { type: 'string', description: 'Looks after which --watch ends (Ctrl-C, unless it is given).' },
  },
  async run({ args, output }) {
    const intervalMs = 1_000 * numberOf('interval', args.interval, { min: 0.1, max: 3_600, whole: false });
    const looks = numberFlag('looks', args.looks, { min: 1, max: 1_000_000 });
    const dataDirectory = dataDirectoryOf(args['data-dir'], process.env);
    const record = readStack(dataDirectory);
    if (record === undefined && process.env.LAKEHOUSE_NATS_URL === undefined) throw nothingRuns(dataDirectory);
    const opened = await asked(openLog(args['data-dir']));
    const log = 'answer' in opened ? { answer: opened.answer.connection } : opened;
    try {
      const client = await openGateway(args);
      // Processes are started again under other numbers: each look reads anew what runs.
      const read = () => readStatus({ record: readStack(dataDirectory) ?? record, log, client, fetch });
      const status =
        args.watch === true ? await watchStatus({ ...watching(output), read, intervalMs, looks }) : await read();
      if (args.watch !== true) output.answer(status, statusText(status));
      return status.ready ? exitCodes.done : exitCodes.unreachable;
    } finally {
      if ('answer' in log) await log.answer.drain();
    }
  },
});

function watching({ json }: Output): Pick<WatchOptions, 'json' | 'sink' | 'clock' | 'signal'> {
  const controller = new AbortController();
  process.once('SIGINT', () => controller.abort());
  return { json, sink: process.stdout, clock: systemClock, signal: controller.signal };
}
