import { streamNames } from '../../schemas/catalog.ts';
import { ensureObjectStore } from '../../streams/open-object-store.ts';
import { driftSentence, type ProvisionReport, provisionStreams } from '../../streams/provision.ts';
import { command } from '../command/define.ts';
import { dataDirArgument } from '../command/gateway.ts';
import { openLog } from '../command/log-access.ts';
import { exitCodes } from '../exit-codes.ts';

export default command({
  summary: 'Creates the streams and the bucket, and brings streams that are there to their declaration.',
  examples: ['provision', 'provision --data-dir /var/lib/lakehouse --json'],
  args: dataDirArgument,
  async run({ args, output }) {
    const { connection, configuration } = await openLog(args['data-dir']);
    try {
      const { nats, streamBytes } = configuration;
      await ensureObjectStore(configuration, connection.clock);
      const report = await provisionStreams(connection, { replicas: nats.replicas, streamBytes });
      output.answer(report, provisionText(report));
      return report.drift.length + report.missing.length === 0 ? exitCodes.done : exitCodes.differs;
    } finally {
      await connection.drain();
    }
  },
});

/** What was done to the streams, a line each. */
export function provisionText(report: ProvisionReport): string {
  const untouched = streamNames.length - report.created.length - report.updated.length - report.missing.length;
  return [
    `${report.created.length} streams created, ${report.updated.length} updated, ${untouched} as declared already`,
    ...report.drift.map(driftSentence),
    ...report.missing.map((name) => `stream ${name} is missing`),
  ].join('\n');
}
