import { CommandError } from '../command/errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { type OnetTables, readOnet, type TableRow } from './onet.ts';
import { readReportedTitles } from './owned-titles.ts';

/** All tables that the evaluations need. @throws CommandError where they are not there */
export function tablesOrAbsent(folder: string): { tables: OnetTables; reported: TableRow[] } {
  const reading = readOnet(folder);
  const reported = readReportedTitles(folder);
  if (reading.kind === 'ready' && reported !== undefined) return { tables: reading.tables, reported };
  throw new CommandError(exitCodes.absent, {
    happened: reading.kind === 'absent' ? reading.message : `${folder} has no reported_titles.tsv.`,
    means: 'Nothing was evaluated.',
    remedy: 'Name the folder of the tables with --data.',
  });
}
