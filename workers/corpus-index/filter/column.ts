import { canonicalJson, isScalar } from '../../metadata-filter/canonical-json.ts';
import type { FieldTest, ValueTest } from '../../metadata-filter/field-test.ts';

/**
 * One field of the metadata of all documents, coded: a number per slot instead of a value. Equal values (by canonical JSON)
 * have one code, so that a filter asks each different value once. The elements of a list are coded too, and the list is
 * their codes in a pool.
 */
export interface Column {
  /** What the field of a slot holds from now on; undefined where it is not there. */
  set(slot: number, value: unknown): void;
  /** Prepares a question to the values; what it learns is kept with it. */
  question(test: FieldTest): ColumnQuestion;
  /** An estimate, for a limit. */
  readonly bytes: number;
  /** Whether most of what it holds belongs to no document any more: making it anew is better. */
  readonly wasteful: boolean;
}

export interface ColumnQuestion {
  /** Asks about some of the values that nothing is known of yet; false where all are known. */
  learnSome(): boolean;
  /** Takes the slots that do not pass out of a set of slots, 32 to a word. */
  refine(words: Uint32Array): void;
  passes(slot: number): boolean;
}

const missing = 0;
/** Values asked about in one go: some milliseconds where they are objects, far less else. */
const learnedAtOnce = 2_000;
/** What a value costs besides its text, about: an entry of a map, of a list, a string's head. */
const valueBytes = 80;
/** Arrays that have to grow do so by this factor. */
const growth = 1.5;
/** Garbage below is not worth making a column anew. */
const wasteMin = 4_096;

/** The codes of the values of a column. Code 0 stands for no value. */
interface Dictionary {
  readonly values: unknown[];
  readonly bytes: number;
  /** The code of a value, a new one where there is none. */
  add(value: unknown): number;
  find(value: unknown): number | undefined;
}

function createDictionary(): Dictionary {
  // A map tells scalars apart as canonical JSON does: 0 and -0 are one, 1 and "1" are two.
  const scalars = new Map<unknown, number>();
  const composites = new Map<string, number>();
  const values: unknown[] = [undefined];
  let bytes = 0;
  const find = (value: unknown) => (isScalar(value) ? scalars.get(value) : composites.get(canonicalJson(value) ?? ''));
  return {
    values,
    get bytes() {
      return bytes;
    },
    find,
    add: (value) => {
      const known = find(value);
      if (known !== undefined) return known;
      const code = values.push(value) - 1;
      bytes += valueBytes;
      if (typeof value === 'string') bytes += value.length;
      if (isScalar(value)) scalars.set(value, code);
      else {
        const text = canonicalJson(value) ?? '';
        bytes += 3 * text.length;
        composites.set(text, code);
      }
      return code;
    },
  };
}

export function createColumn(): Column {
  const dictionary = createDictionary();
  /** Per slot: a code, or below zero the place of a list in the pool, as -1 - place. */
  let codes = new Int32Array(0);
  /** A list: how many elements, then their codes. */
  let pool = new Int32Array(0);
  let poolUsed = 0;
  let poolDead = 0;
  let written = 0;

  const append = (list: readonly unknown[]): number => {
    const place = poolUsed;
    pool = grown(pool, poolUsed + list.length + 1);
    pool[poolUsed++] = list.length;
    for (const element of list) pool[poolUsed++] = dictionary.add(element);
    return -1 - place;
  };
  const codeOf = (value: unknown): number => {
    if (value === undefined) return missing;
    return Array.isArray(value) ? append(value) : dictionary.add(value);
  };
  return {
    get bytes() {
      return codes.byteLength + pool.byteLength + dictionary.bytes;
    },
    get wasteful() {
      return (
        poolDead > Math.max(wasteMin, poolUsed / 2) ||
        dictionary.values.length > wasteMin + 2 * (written + poolUsed - poolDead)
      );
    },
    set: (slot, value) => {
      const before = codes[slot] ?? missing;
      // A field that no document has costs nothing.
      if (value === undefined && before === missing) return;
      if (before < 0) poolDead += 1 + (pool[-1 - before] ?? 0);
      written = Math.max(written, slot + 1);
      codes = grown(codes, slot + 1);
      codes[slot] = codeOf(value);
    },
    question: (test) => createQuestion(test, dictionary, { code: (slot) => codes[slot] ?? missing, pool: () => pool }),
  };
}

interface ColumnView {
  code(slot: number): number;
  pool(): Int32Array;
}

const [unknown, no, yes] = [0, 1, 2] as const;

function createQuestion(test: FieldTest, dictionary: Dictionary, view: ColumnView): ColumnQuestion {
  const wanted = test.wanted === undefined ? undefined : createVerdicts(test.wanted, dictionary);
  const refused = test.refused === undefined ? undefined : createVerdicts(test.refused, dictionary);
  const asks = (verdicts: Verdicts, code: number): boolean => {
    if (code > 0) return verdicts.of(code);
    const place = -1 - code;
    const pool = view.pool();
    if (verdicts.ofList(pool, place)) return true;
    if (!test.elements) return false;
    const end = place + 1 + (pool[place] ?? 0);
    for (let at = place + 1; at < end; at++) if (verdicts.of(pool[at] ?? missing)) return true;
    return false;
  };
  const admits = (code: number): boolean => {
    if (code === missing) return test.whenMissing;
    if (!test.whenPresent) return false;
    if (refused !== undefined && asks(refused, code)) return false;
    return wanted === undefined || asks(wanted, code);
  };
  return {
    learnSome: () => (wanted?.learnSome() ?? false) || (refused?.learnSome() ?? false),
    passes: (slot) => admits(view.code(slot)),
    refine: (words) => {
      for (let at = 0; at < words.length; at++) {
        let kept = words[at] ?? 0;
        for (let rest = kept | 0; rest !== 0; rest &= rest - 1) {
          const bit = 31 - Math.clz32(rest & -rest);
          if (!admits(view.code(at * 32 + bit))) kept &= ~(1 << bit);
        }
        words[at] = kept;
      }
    },
  };
}

/** What a test says of each value, asked once. */
interface Verdicts {
  learnSome(): boolean;
  of(code: number): boolean;
  ofList(pool: Int32Array, place: number): boolean;
}

function createVerdicts(test: ValueTest, dictionary: Dictionary): Verdicts {
  const { values } = dictionary;
  const lists = createListTest(test, dictionary);
  let verdicts = new Uint8Array(values.length);
  let learned = 1;
  const learn = (code: number): boolean => {
    if (code >= verdicts.length) {
      const larger = new Uint8Array(Math.ceil(values.length * growth));
      larger.set(verdicts);
      verdicts = larger;
    }
    const holds = test.holds(values[code]);
    verdicts[code] = holds ? yes : no;
    return holds;
  };
  return {
    learnSome: () => {
      const end = Math.min(values.length, learned + learnedAtOnce);
      for (; learned < end; learned++) if ((verdicts[learned] ?? unknown) === unknown) learn(learned);
      return learned < values.length;
    },
    of: (code) => {
      const verdict = verdicts[code] ?? unknown;
      return verdict === unknown ? learn(code) : verdict === yes;
    },
    ofList: lists,
  };
}

/** Lists are equal where the codes of their elements are. */
function createListTest({ lists }: ValueTest, { find, values }: Dictionary): Verdicts['ofList'] {
  if (lists.length === 0) return () => false;
  let known = new Set<string>();
  let knownAt = 0;
  return (pool, place) => {
    // An element that no document had may have come since.
    if (knownAt !== values.length) {
      known = new Set(lists.map((list) => list.map((element) => find(element) ?? missing).join()));
      knownAt = values.length;
    }
    return known.has(pool.subarray(place + 1, place + 1 + (pool[place] ?? 0)).join());
  };
}

/** The array, or a copy that is longer. */
function grown(array: Int32Array<ArrayBuffer>, length: number): Int32Array<ArrayBuffer> {
  if (length <= array.length) return array;
  const larger = new Int32Array(Math.max(length, Math.ceil(array.length * growth), 256));
  larger.set(array);
  return larger;
}
