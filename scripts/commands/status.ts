import { command } from '../command/define.ts';
import { dataDirectoryOf, gatewayArguments, openGateway } from '../command/gateway.ts';
import { nothingRuns, openLog } from '../command/log-access.ts';
import { exitCodes } from '../exit-codes.ts';
import { readStack } from '../stack/running.ts';
import { asked, readStatus } from '../stack/status.ts';
import { statusText } from '../stack/status-text.ts';

export default command({
  summary: 'Tells what runs, how full the streams are, what waits, and what the index holds.',
  examples: ['status', 'status --json'],
  args: gatewayArguments,
  async run({ args, output }) {
    const dataDirectory = dataDirectoryOf(args['data-dir'], process.env);
    const record = readStack(dataDirectory);
    if (record === undefined && process.env.LAKEHOUSE_NATS_URL === undefined) throw nothingRuns(dataDirectory);
    const opened = await asked(openLog(args['data-dir']));
    const log = 'answer' in opened ? { answer: opened.answer.connection } : opened;
    try {
      const status = await readStatus({ record, log, client: await openGateway(args), fetch });
      output.answer(status, statusText(status));
      return status.ready ? exitCodes.done : exitCodes.unreachable;
    } finally {
      if ('answer' in log) await log.answer.drain();
    }
  },
});
