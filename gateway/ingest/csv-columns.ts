import { isNestedDeeper, limits } from '../../schemas/primitives.ts';
import { type CellType, type CsvQuery, cellTypes } from '../../schemas/requests/ingest.ts';

/** How the cells of a row become a document. */
export interface ColumnMap {
  /** The document of a row, or why it becomes none. */
  read(cells: readonly string[]): { readonly document: CsvDocument } | { readonly fault: string; readonly id?: string };
}

export interface CsvDocument {
  readonly id: string;
  readonly text?: string;
  readonly metadata?: Record<string, unknown>;
}

/** The header and the wishes of whoever sends it do not go together. */
export class ColumnError extends Error {
  override readonly name = 'ColumnError';
}

interface Column {
  readonly name: string;
  readonly at: number;
  readonly type: CellType;
}

export const csvColumnsMax = 1_000;

/**
 * Which column becomes what. Every cell is a string, as it was written, unless its column was declared to be something
 * else or `types=auto` asked for numbers to be recognised: a telephone number or a postal code keeps its zeros.
 * @throws ColumnError where a column is named that the header does not have, or the header is not one
 */
export function createColumnMap(header: readonly string[], query: CsvQuery): ColumnMap {
  checkHeader(header);
  const at = (name: string, what: string) => {
    const place = header.indexOf(name);
    if (place >= 0) return place;
    const shown = header.slice(0, 20).join(', ');
    throw new ColumnError(`there is no column ${JSON.stringify(name)} for the ${what}; the header has: ${shown}`);
  };
  const types = declaredTypes(query.types ?? '', at);
  const idAt = at(query.id ?? 'id', 'id (name another with ?id=)');
  const textOf = textReader(query.text ?? 'text', at);
  const names = query.metadata === undefined ? undefined : listed(query.metadata);
  for (const name of names ?? []) at(name, 'metadata');
  const columns: Column[] = header.flatMap((name, place) => {
    const isWanted = names === undefined ? place !== idAt && place !== textOf?.column : names.includes(name);
    return isWanted ? [{ name, at: place, type: types(name) }] : [];
  });
  return {
    read: (cells) => {
      const id = cells[idAt] ?? '';
      const known = id === '' ? {} : { id };
      if (cells.length !== header.length)
        return { fault: `has ${cells.length} cells where the header has ${header.length}`, ...known };
      const metadata: Record<string, unknown> = {};
      for (const column of columns) {
        const cell = cells[column.at] ?? '';
        if (cell === '') continue;
        const value = readCell(cell, column.type);
        if (value === undefined)
          return { fault: `column ${JSON.stringify(column.name)}: ${cellFault(cell, column.type)}`, ...known };
        metadata[column.name] = value;
      }
      return {
        document: {
          id,
          ...(textOf === undefined ? {} : { text: textOf.read(cells) }),
          ...(columns.length === 0 ? {} : { metadata }),
        },
      };
    },
  };
}

function checkHeader(header: readonly string[]): void {
  if (header.length > csvColumnsMax)
    throw new ColumnError(`the header has ${header.length} columns, and ${csvColumnsMax} are taken`);
  if (header.includes('__proto__')) throw new ColumnError('the header has the column "__proto__", which is not taken');
  const twice = header.find((name, place) => header.indexOf(name) !== place);
  if (twice !== undefined) throw new ColumnError(`the header has the column ${JSON.stringify(twice)} twice`);
}

function listed(text: string): string[] {
  return text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

function declaredTypes(text: string, at: (name: string, what: string) => number): (name: string) => CellType {
  let fallback: CellType = 'string';
  const declared = new Map<string, CellType>();
  for (const entry of listed(text)) {
    if (entry === 'auto') {
      fallback = 'auto';
      continue;
    }
    const colon = entry.lastIndexOf(':');
    const name = entry.slice(0, Math.max(colon, 0));
    const type = cellTypes.find((one) => one === entry.slice(colon + 1));
    if (name === '' || type === undefined)
      throw new ColumnError(
        `types: ${JSON.stringify(entry)} does not read like "years:number"; types are ${cellTypes.join(', ')}`,
      );
    at(name, 'types');
    declared.set(name, type);
  }
  return (name) => declared.get(name) ?? fallback;
}

interface TextReader {
  /** The column that is the text, where it is one and no template. */
  readonly column: number | undefined;
  read(cells: readonly string[]): string;
}

/** A column, a template with columns in braces, or nothing: then documents have metadata alone. */
function textReader(wanted: string, at: (name: string, what: string) => number): TextReader | undefined {
  if (wanted === '') return undefined;
  if (!wanted.includes('{')) {
    const column = at(wanted, 'text (name another with ?text=, or a template such as ?text={name}: {skills})');
    return { column, read: (cells) => cells[column] ?? '' };
  }
  // Odd parts are what stands in braces.
  const parts = wanted.split(/\{([^{}]*)\}/);
  const places = parts.map((part, index) => (index % 2 === 0 ? undefined : at(part, 'text')));
  const isCell = places.filter((place) => place !== undefined);
  return {
    column: undefined,
    read: (cells) =>
      // A template around nothing says nothing.
      isCell.every((place) => (cells[place] ?? '').trim() === '')
        ? ''
        : parts.map((part, index) => (places[index] === undefined ? part : (cells[places[index] ?? 0] ?? ''))).join(''),
  };
}

const booleans: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['false', false],
]);
const plainNumber = /^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$/;

/** Undefined where the cell is not of its type. */
function readCell(cell: string, type: CellType): unknown {
  if (type === 'string') return cell;
  if (type === 'auto') return canonicalNumber(cell) ?? cell;
  const text = cell.trim();
  if (type === 'number') return readNumber(text);
  if (type === 'boolean') return booleans.get(text.toLowerCase());
  try {
    const value: unknown = JSON.parse(text);
    // What is deeper could not be written again.
    return isNestedDeeper(value, limits.metadataNestingMax - 1) ? undefined : value;
  } catch {
    return undefined;
  }
}

/** No leading zeros, no plus sign, and no whole number that a double can not hold: those are not amounts. */
function readNumber(text: string): number | undefined {
  if (!plainNumber.test(text)) return undefined;
  const value = Number(text);
  if (!Number.isFinite(value)) return undefined;
  return Number.isInteger(value) && !Number.isSafeInteger(value) ? undefined : value;
}

/** Only what is written again exactly as it stood. */
function canonicalNumber(cell: string): number | undefined {
  const value = readNumber(cell);
  return value !== undefined && String(value) === cell ? value : undefined;
}

const cellShownCharactersMax = 40;

function cellFault(cell: string, type: CellType): string {
  const shown = JSON.stringify(cell.slice(0, cellShownCharactersMax));
  if (type === 'boolean') return `${shown} is neither true nor false`;
  if (type === 'json') return `${shown} is not JSON, or nested more than ${limits.metadataNestingMax - 1} levels deep`;
  return `${shown} is not a number that can be held as one (no leading zeros, no signs but "-"); leave the column a string`;
}
