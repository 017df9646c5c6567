import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { createRandom, sample } from '../random.ts';

/** Exit code of a command that has nothing to evaluate, because the tables are not there. */
export const exitCodeDataAbsent = 3;

const queryStream = 6;
const evenQueryStream = 7;
const occupationsFile = 'occupations.tsv';
const alternateTitlesFile = 'alternate_titles.tsv';

/** A row of a table by its column names. */
export type TableRow = Readonly<Record<string, string>>;

export interface OnetTables {
  readonly occupations: readonly TableRow[];
  readonly alternateTitles: readonly TableRow[];
}

export type OnetReading =
  | { readonly kind: 'ready'; readonly tables: OnetTables }
  | { readonly kind: 'absent'; readonly message: string };

export interface OccupationDocument {
  /** The O*NET-SOC code. */
  readonly id: string;
  readonly text: string;
}

export interface TitleQuery {
  readonly query: string;
  /** The code of the occupation that the title belongs to: the only right answer. */
  readonly code: string;
}

/** Reads tab-separated values whose first line names the columns. There is no quoting in O*NET's tables. */
export function parseTable(text: string): TableRow[] {
  const [head = '', ...lines] = text.split(/\r?\n/).filter((line) => line !== '');
  const names = head.split('\t');
  return lines.map((line) => {
    const cells = line.split('\t');
    return Object.fromEntries(names.map((name, at) => [name, cells[at] ?? '']));
  });
}

/** The folder of the tables when none is given: `../shared/data/onet` beside the folder that holds package.json. */
export function onetFolderDefault(from: string = import.meta.dirname): string {
  if (existsSync(join(from, 'package.json'))) return resolve(from, '../shared/data/onet');
  const parent = dirname(from);
  return parent === from ? resolve('../shared/data/onet') : onetFolderDefault(parent);
}

/** Reads the two tables that the evaluation needs; where one is missing, says so as data. */
export function readOnet(folder: string = onetFolderDefault()): OnetReading {
  const missing = [occupationsFile, alternateTitlesFile].filter((file) => !existsSync(join(folder, file)));
  if (missing.length > 0) {
    const message =
      `The O*NET tables are not there: ${folder} has no ${missing.join(' and no ')}. Nothing was evaluated. Take ` +
      'them from the O*NET database (www.onetcenter.org, tab-separated text) or give the folder that has them.';
    return { kind: 'absent', message };
  }
  const read = (file: string): TableRow[] => parseTable(readFileSync(join(folder, file), 'utf8'));
  return { kind: 'ready', tables: { occupations: read(occupationsFile), alternateTitles: read(alternateTitlesFile) } };
}

function column(row: TableRow, name: string): string {
  const value = row[name];
  if (value === undefined) throw new RangeError(`the O*NET table has no column "${name}"`);
  return value;
}

/** The documents to search in: one an occupation, its title and its description. */
export function occupations(tables: OnetTables): OccupationDocument[] {
  return tables.occupations.map((row) => ({
    id: column(row, 'O*NET-SOC Code'),
    text: `${column(row, 'Title')}. ${column(row, 'Description')}`,
  }));
}

function titleQueries(tables: OnetTables): TitleQuery[] {
  const codes = new Set(tables.occupations.map((row) => column(row, 'O*NET-SOC Code')));
  const rows = tables.alternateTitles.filter((row) => codes.has(column(row, 'O*NET-SOC Code')));
  return rows.map((row) => ({ query: column(row, 'Alternate Title'), code: column(row, 'O*NET-SOC Code') }));
}

/**
 * Alternate titles of the occupations as queries, `count` different rows in random order (all where there are
 * fewer). The first n of a longer list are the list of n.
 */
export function alternateTitleQueries(tables: OnetTables, options: { count: number; seed: number }): TitleQuery[] {
  return sample(createRandom(options.seed, queryStream), titleQueries(tables), options.count);
}

/**
 * As `alternateTitleQueries`, but every occupation is asked for equally often as far as it has titles: one of each in
 * random order, then another of each. Of all rows, a few occupations with hundreds of titles would be most.
 */
export function evenTitleQueries(tables: OnetTables, options: { count: number; seed: number }): TitleQuery[] {
  const random = createRandom(options.seed, evenQueryStream);
  const byCode = new Map<string, TitleQuery[]>();
  for (const query of titleQueries(tables)) byCode.set(query.code, [...(byCode.get(query.code) ?? []), query]);
  let left = [...byCode.values()].map((titles) => sample(random, titles, titles.length));
  const drawn: TitleQuery[] = [];
  for (let round = 0; drawn.length < options.count && left.length > 0; round++) {
    drawn.push(...sample(random, left, left.length).flatMap((titles) => titles.slice(round, round + 1)));
    left = left.filter((titles) => titles.length > round + 1);
  }
  return drawn.slice(0, options.count);
}
