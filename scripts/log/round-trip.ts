import { catalog } from '../../schemas/catalog.ts';
import { decodeEvent } from '../../schemas/decode.ts';
import { importedLineBytesMax, type LineLogName, lineLogs } from './import.ts';
import { LineFileError, readLines } from './lines.ts';

/** A field that is not the same once a line was decoded and encoded again. */
export interface RoundTripFault {
  /** Counted from 1. */
  readonly line: number;
  /** Names and places, as in `metrics.p3_human`. */
  readonly path: string;
  readonly fault: 'lost' | 'changed' | 'added';
}

export interface RoundTrip {
  readonly lines: number;
  readonly fields: number;
  /** How often each key occurs that the schema does not name: it has to be kept all the same. */
  readonly unknown: Readonly<Record<string, number>>;
  readonly faults: number;
  /** The first of them. */
  readonly told: readonly RoundTripFault[];
  readonly equal: boolean;
}

const faultsToldMax = 20;

/**
 * Decodes every line of a file as its log does, encodes it again and compares field by field: a key that a schema would
 * drop without a word, or a number with more digits than can be kept, is found here.
 * @throws LineFileError at the first line that the log does not take
 */
export async function roundTripFile(file: string, log: LineLogName): Promise<RoundTrip> {
  const unknown: Record<string, number> = {};
  const told: RoundTripFault[] = [];
  let [lines, fields, faults] = [0, 0, 0];
  for await (const line of readLines(file, importedLineBytesMax)) {
    lines++;
    const decoded = decodeEvent(lineLogs[log].stream, line);
    if (!decoded.ok) throw new LineFileError(lines, `${decoded.reason}: ${decoded.message}`);
    const compared = compareFields(line.toString('utf8'), JSON.stringify(decoded.event.data));
    fields += compared.fields;
    faults += compared.faults.length;
    for (const fault of compared.faults) if (told.length < faultsToldMax) told.push({ line: lines, ...fault });
    for (const key of Object.keys(decoded.event.data)) if (!isNamed(log, key)) unknown[key] = (unknown[key] ?? 0) + 1;
  }
  return { lines, fields, unknown, faults, told, equal: faults === 0 };
}

function isNamed(log: LineLogName, key: string): boolean {
  return Object.hasOwn(catalog[lineLogs[log].event].schema.shape, key);
}

/** What two texts of JSON hold under each path, compared. @param first as it was written @param second as it was encoded */
export function compareFields(
  first: string,
  second: string,
): { readonly fields: number; readonly faults: Omit<RoundTripFault, 'line'>[] } {
  const [before, after] = [fieldsOf(first), fieldsOf(second)];
  const faults: Omit<RoundTripFault, 'line'>[] = [];
  for (const [path, value] of before) {
    const now = after.get(path);
    if (now === undefined) faults.push({ path, fault: 'lost' });
    else if (now !== value) faults.push({ path, fault: 'changed' });
  }
  for (const path of after.keys()) if (!before.has(path)) faults.push({ path, fault: 'added' });
  for (const number of inexactNumbers(first)) faults.push({ path: number, fault: 'changed' });
  return { fields: before.size, faults };
}

/** The leaves by their paths; an empty object or list is a leaf. */
function fieldsOf(text: string): Map<string, string> {
  const fields = new Map<string, string>();
  const walk = (value: unknown, path: string): void => {
    const members = typeof value === 'object' && value !== null ? Object.entries(value) : [];
    if (members.length === 0) fields.set(path, JSON.stringify(value));
    for (const [key, member] of members) walk(member, path === '' ? key : `${path}.${key}`);
  };
  walk(JSON.parse(text), '');
  return fields;
}

/** Whole numbers beyond 2^53, as they are written: parsing alone gives another one. */
function inexactNumbers(text: string): string[] {
  const bare = text.replace(/"(?:[^"\\]|\\.)*"/g, '""');
  return [...bare.matchAll(/-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g)]
    .map(([number]) => number)
    .filter((number) => /^-?\d+$/.test(number) && String(Number(number)) !== number)
    .filter((number) => BigInt(number) !== BigInt(Number(number)));
}
