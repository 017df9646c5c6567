import { fieldOf, parseMetadata } from '../../metadata-filter/metadata-filter.ts';
import type { DocumentTable } from '../document-table.ts';
import { type Column, createColumn } from './column.ts';

/**
 * The columns of an index's metadata that filters asked for, made when they are first asked for and kept current from then
 * on. Fields that no filter names cost nothing.
 */
export interface Columns {
  /** Undefined where the field's column is not made, or not made whole. */
  get(name: string): Column | undefined;
  /**
   * Begins to make the columns that are missing, and does a part of it; false where none is missing. What others began is
   * gone on with.
   */
  makeSome(names: readonly string[]): boolean;
  /** The metadata of a slot changed. */
  onMetadata(slot: number, json: string | null): void;
  /** An estimate of what they hold in memory. */
  readonly bytes: number;
}

export interface ColumnLimits {
  /** Columns kept at most, and how much they may hold together; those asked for last stay. */
  readonly columnsMax: number;
  readonly columnBytesMax: number;
}

export const columnLimits: ColumnLimits = { columnsMax: 32, columnBytesMax: 64 * 1024 * 1024 };

/** Read in one go while a column is made: some milliseconds. */
const documentsAtOnce = 1_000;
const charactersAtOnce = 512 * 1024;

interface Making {
  readonly column: Column;
  /** Slots below are in it. */
  cursor: number;
}

/** @param onGone told of a column that is kept no more */
export function createColumns(
  table: DocumentTable,
  onGone: (column: Column) => void,
  limits: ColumnLimits = columnLimits,
): Columns {
  // In the order in which they were last asked for.
  const made = new Map<string, Column>();
  const making = new Map<string, Making>();

  const sum = () => [...made.values()].reduce((bytes, column) => bytes + column.bytes, 0);
  /** Lets go of those that nobody asked for the longest; `kept` are wanted now. */
  const makeRoom = (kept: readonly string[]) => {
    for (const [name, column] of made) {
      if (made.size <= limits.columnsMax && sum() <= limits.columnBytesMax) return;
      if (kept.includes(name)) continue;
      made.delete(name);
      onGone(column);
    }
  };
  const advance = (wanted: readonly (readonly [string, Making])[]) => {
    const first = Math.min(...wanted.map(([, { cursor }]) => cursor));
    const end = Math.min(table.count, first + documentsAtOnce);
    let characters = 0;
    let slot = first;
    for (; slot < end && characters < charactersAtOnce; slot++) {
      const json = table.metadataJson(slot);
      characters += json?.length ?? 0;
      const metadata = parseMetadata(json);
      for (const [name, { column, cursor }] of wanted) if (cursor <= slot) column.set(slot, fieldOf(metadata, name));
    }
    for (const [, one] of wanted) one.cursor = Math.max(one.cursor, slot);
  };

  return {
    get bytes() {
      return sum();
    },
    get: (name) => made.get(name),
    makeSome: (names) => {
      for (const name of names) {
        const column = made.get(name);
        made.delete(name);
        if (column !== undefined && !column.wasteful) {
          made.set(name, column);
          continue;
        }
        if (column !== undefined) onGone(column);
        if (!making.has(name)) making.set(name, { column: createColumn(), cursor: 0 });
      }
      const wanted = names.flatMap((name) => {
        const one = making.get(name);
        return one === undefined ? [] : [[name, one] as const];
      });
      if (wanted.length === 0) return false;
      advance(wanted);
      for (const [name, { column, cursor }] of wanted) {
        if (cursor < table.count) continue;
        making.delete(name);
        made.set(name, column);
      }
      makeRoom(names);
      return names.some((name) => !made.has(name));
    },
    onMetadata: (slot, json) => {
      if (made.size === 0 && making.size === 0) return;
      const metadata = parseMetadata(json);
      for (const [name, column] of made) column.set(slot, fieldOf(metadata, name));
      for (const [name, { column, cursor }] of making) if (slot < cursor) column.set(slot, fieldOf(metadata, name));
    },
  };
}
