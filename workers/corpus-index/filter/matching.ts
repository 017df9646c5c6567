import { LRUCache } from 'lru-cache';
import type { CompiledFilter } from '../../metadata-filter/metadata-filter.ts';
import type { DocumentTable } from '../document-table.ts';
import type { Column, ColumnQuestion } from './column.ts';
import { type ColumnLimits, createColumns } from './columns.ts';

/** The living documents that a filter admits, as a set of slots. Good until the index is written to. */
export interface Matching {
  readonly count: number;
  has(slot: number): boolean;
  slots(): Int32Array;
}

/** The filters of an index. */
export interface Filters {
  /** Gets ready to answer, a part at a time, so that others get their turn in between; false where all is ready. */
  prepareSome(filter: CompiledFilter): boolean;
  /** The documents that a filter admits; gets ready first where that was not done. */
  match(filter: CompiledFilter): Matching;
  /** The metadata of a slot changed. */
  onMetadata(slot: number, json: string | null): void;
  /** An estimate of what columns hold in memory. */
  readonly bytes: number;
}

/** Filters of which the answer is remembered. */
const filtersKept = 32;

interface Asked {
  readonly fields: readonly { readonly column: Column; readonly question: ColumnQuestion }[];
  /** The documents that pass, now. */
  readonly matching: () => Matching;
}

export function createFilters(table: DocumentTable, limits?: ColumnLimits): Filters {
  const asked = new LRUCache<string, Asked>({ max: filtersKept });
  const columns = createColumns(table, forget, limits);

  /** What was learned of a column goes with it. */
  function forget(gone: Column): void {
    for (const [key, { fields }] of asked) if (fields.some(({ column }) => column === gone)) asked.delete(key);
  }

  /** What is known of a filter, where all of its columns are there. */
  const recall = ({ key, fields }: CompiledFilter): Asked | undefined => {
    const known = asked.get(key);
    if (known !== undefined && fields.every(({ name }, at) => columns.get(name) === known.fields[at]?.column))
      return known;
    const found = fields.flatMap(({ name, test }) => {
      const column = columns.get(name);
      return column === undefined ? [] : [{ column, question: column.question(test) }];
    });
    if (found.length < fields.length) return undefined;
    const questions = found.map(({ question }) => question);
    const fresh: Asked = { fields: found, matching: followMatching(questions, table) };
    asked.set(key, fresh);
    return fresh;
  };
  const prepareSome = (filter: CompiledFilter): boolean => {
    if (columns.makeSome(filter.fields.map(({ name }) => name))) return true;
    return recall(filter)?.fields.some(({ question }) => question.learnSome()) ?? true;
  };

  return {
    get bytes() {
      return columns.bytes;
    },
    onMetadata: columns.onMetadata,
    prepareSome,
    match: (filter) => {
      while (prepareSome(filter));
      const known = recall(filter);
      if (known === undefined) throw new Error('the columns of a filter are not there after they were made');
      return known.matching();
    },
  };
}

/** The set of documents that pass, brought up to date whenever it is asked for: by what changed, or whole. */
function followMatching(questions: readonly ColumnQuestion[], table: DocumentTable): () => Matching {
  let words = new Uint32Array(0);
  let count = 0;
  let list: Int32Array | undefined;
  let revision = -1;
  const has = (slot: number) => ((words[slot >>> 5] ?? 0) & (1 << (slot & 31))) !== 0;
  const matchAll = () => {
    words = livingSlots(table);
    for (const question of questions) question.refine(words);
    count = 0;
    for (const word of words) count += bitsOf(word);
  };
  const matchOne = (slot: number) => {
    const passes = table.contentHash(slot) !== null && questions.every((question) => question.passes(slot));
    if (passes === has(slot)) return;
    words[slot >>> 5] = (words[slot >>> 5] ?? 0) ^ (1 << (slot & 31));
    count += passes ? 1 : -1;
  };
  const matching: Matching = {
    get count() {
      return count;
    },
    has,
    slots: () => {
      list ??= listSlots(words, count);
      return list;
    },
  };
  return () => {
    if (revision === table.revision) return matching;
    const changed = revision < 0 ? undefined : table.changedSince(revision);
    if (changed === undefined) matchAll();
    else {
      words = enlarged(words, table.count);
      for (const slot of changed) matchOne(slot);
    }
    list = undefined;
    revision = table.revision;
    return matching;
  };
}

function enlarged(words: Uint32Array<ArrayBuffer>, slots: number): Uint32Array<ArrayBuffer> {
  if (words.length * 32 >= slots) return words;
  const larger = new Uint32Array(Math.ceil((slots * 1.25) / 32));
  larger.set(words);
  return larger;
}

function livingSlots(table: DocumentTable): Uint32Array<ArrayBuffer> {
  const words = new Uint32Array(Math.ceil(table.count / 32));
  for (let slot = 0; slot < table.count; slot++)
    if (table.contentHash(slot) !== null) words[slot >>> 5] = (words[slot >>> 5] ?? 0) | (1 << (slot & 31));
  return words;
}

/** How many bits of a word are set, summed in pairs, fours and eights. */
function bitsOf(word: number): number {
  let bits = word - ((word >>> 1) & 0x55555555);
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

function listSlots(words: Uint32Array, count: number): Int32Array {
  const slots = new Int32Array(count);
  let at = 0;
  for (const [place, word] of words.entries())
    for (let rest = word | 0; rest !== 0; rest &= rest - 1) slots[at++] = place * 32 + 31 - Math.clz32(rest & -rest);
  return slots;
}
