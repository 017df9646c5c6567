import { restoreBackup } from '../../streams/backup/restore-backup.ts';
import { provisionStreams } from '../../streams/provision.ts';
import { openEmptyLog } from '../backup/empty-log.ts';
import { streamProgress } from '../backup/progress.ts';
import { backupStore, checkedBackupName } from '../backup/store.ts';
import { command } from '../command/define.ts';
import { dataDirArgument } from '../command/gateway.ts';
import { textTable } from '../command/table.ts';
import { exitCodes } from '../exit-codes.ts';

export default command({
  summary: 'Puts the streams of a backup into an empty server, with their sequences and times.',
  examples: ['restore --from /mnt/backups --data-dir restored', 'restore --name nightly --at 2026-11-21T03:00:00.000Z'],
  args: {
    from: { type: 'string', valueHint: 'DIR', description: 'A directory instead of the bucket that is configured.' },
    name: { type: 'string', default: 'main', description: 'The name that the backup was given.' },
    at: { type: 'string', valueHint: 'TIME', description: 'The backup of this time; without it the newest.' },
    ...dataDirArgument,
  },
  async run({ args, output }) {
    const name = checkedBackupName(args.name);
    await using log = await openEmptyLog(args['data-dir'], output.note);
    const { connection, configuration } = log;
    const { replicas } = configuration.nats;
    const store = await backupStore('from', args.from, configuration);
    const onProgress = streamProgress(output.progress);
    const report = await restoreBackup({ connection, store, name, at: args.at, replicas, onProgress });
    await provisionStreams(connection, { replicas, streamBytes: configuration.streamBytes });
    const rows = report.streams.map(({ stream, messages, last_sequence, already }) => [
      stream,
      String(messages),
      String(last_sequence),
      already ? 'was there' : 'restored',
    ]);
    const table = textTable(
      [{ title: 'stream' }, { title: 'messages', right: true }, { title: 'up to', right: true }, { title: '' }],
      rows,
    );
    output.answer(report, `${table}\n\nthe backup of ${report.created_at} is there; ${log.next}`);
    return exitCodes.done;
  },
});
