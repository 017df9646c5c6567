import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRandom, sample } from '../random.ts';
import { type OnetTables, onetFolderDefault, parseTable, type TableRow } from './onet.ts';

const drawStream = 8;
const reportedTitlesFile = 'reported_titles.tsv';

/** A title as a query, with every occupation that it belongs to. */
export interface OwnedTitle {
  readonly query: string;
  readonly codes: ReadonlySet<string>;
}

export interface OwnedTitles {
  /** Different titles of the alternate titles, drawn at random. */
  readonly alternate: readonly OwnedTitle[];
  /** All different titles that job holders reported. */
  readonly reported: readonly OwnedTitle[];
}

/** The rows of the titles that job holders reported; undefined where the table is not there. */
export function readReportedTitles(folder: string = onetFolderDefault()): TableRow[] | undefined {
  const file = join(folder, reportedTitlesFile);
  return existsSync(file) ? parseTable(readFileSync(file, 'utf8')) : undefined;
}

/**
 * Titles as queries, each once, for evaluations in which any occupation counts that a title belongs to: by either table.
 */
export function ownedTitles(
  tables: OnetTables,
  reportedRows: readonly TableRow[],
  options: { readonly count: number; readonly seed: number },
): OwnedTitles {
  const codes = new Set(tables.occupations.map((row) => row['O*NET-SOC Code']));
  const owners = new Map<string, Set<string>>();
  const titlesOf = (rows: readonly TableRow[], column: string): string[] => {
    const titles = new Set<string>();
    for (const row of rows) {
      const [title, code] = [row[column], row['O*NET-SOC Code']];
      if (title === undefined || code === undefined) throw new RangeError(`the O*NET table has no column "${column}"`);
      if (!codes.has(code)) continue;
      titles.add(title);
      owners.set(title, (owners.get(title) ?? new Set()).add(code));
    }
    return [...titles];
  };
  const alternate = titlesOf(tables.alternateTitles, 'Alternate Title');
  const reported = titlesOf(reportedRows, 'Reported Job Title');
  const owned = (query: string): OwnedTitle => ({ query, codes: owners.get(query) ?? new Set() });
  return {
    alternate: sample(createRandom(options.seed, drawStream), alternate, options.count).map(owned),
    reported: reported.map(owned),
  };
}
