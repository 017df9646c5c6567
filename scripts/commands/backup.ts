import { takeBackup } from '../../streams/backup/take-backup.ts';
import { streamProgress } from '../backup/progress.ts';
import { backupStore, checkedBackupName } from '../backup/store.ts';
import { numberOf } from '../command/arguments.ts';
import { command } from '../command/define.ts';
import { dataDirArgument } from '../command/gateway.ts';
import { openLog } from '../command/log-access.ts';
import { textTable } from '../command/table.ts';
import { exitCodes } from '../exit-codes.ts';

export default command({
  summary: 'Takes every stream into the object store, while everything runs; again, and only what is new is written.',
  examples: ['backup --to /mnt/backups', 'backup --name nightly --keep 14'],
  args: {
    to: { type: 'string', valueHint: 'DIR', description: 'A directory instead of the bucket that is configured.' },
    name: { type: 'string', default: 'main', description: 'Backups of one name share what they have in common.' },
    keep: { type: 'string', default: '7', valueHint: 'N', description: 'So many backups of the name stay.' },
    ...dataDirArgument,
  },
  async run({ args, output }) {
    const keep = numberOf('keep', args.keep, { min: 1, max: 10_000 });
    const name = checkedBackupName(args.name);
    const { connection, configuration } = await openLog(args['data-dir']);
    try {
      const store = await backupStore('to', args.to, configuration);
      const report = await takeBackup({ connection, store, name, keep, onProgress: streamProgress(output.progress) });
      const rows = report.streams.map(({ stream, messages, last_sequence, unchanged }) => [
        stream,
        String(messages),
        String(last_sequence),
        unchanged ? 'unchanged' : 'taken',
      ]);
      const table = textTable(
        [{ title: 'stream' }, { title: 'messages', right: true }, { title: 'up to', right: true }, { title: '' }],
        rows,
      );
      const { written, writtenBytes, known } = report;
      const chunks = `${written} chunks written (${writtenBytes} bytes), ${known} were there already`;
      output.answer(report, `${table}\n\n${chunks}\n${report.manifest}`);
      return exitCodes.done;
    } finally {
      await connection.drain();
    }
  },
});
