import { z } from 'zod';
import { corpusSchema } from '../../../schemas/primitives.ts';
import { spaceSchema } from '../../../schemas/space.ts';
import { SnapshotFault } from './frames.ts';
import { snapshotVersion } from './manifest.ts';

/**
 * A body holds one index:
 * - a `header` frame (JSON);
 * - `documents` frames, each a JSON array of records, by id in the order of UTF-8 bytes over all of them, and behind each a
 *   `vectors` frame: the vectors of its living documents, little-endian float32, one after the other;
 * - `graph` frames: hnswlib's file, cut in pieces (none where the index has no graph);
 * - an `end` frame (JSON) with counts.
 */
export const headerSchema = z.strictObject({
  format: z.literal('lakehouse.index-body'),
  version: z.literal(snapshotVersion),
  kind: z.enum(['documents', 'playbooks']),
  corpus: corpusSchema,
  space: spaceSchema,
  distance: z.enum(['cosine', 'euclidean']),
  /** The graph's labels are below; 0 where there is no graph. */
  watermark: z.number().int().nonnegative(),
});
export type BodyHeader = z.output<typeof headerSchema>;

export const endSchema = z.strictObject({
  live: z.number().int().nonnegative(),
  tombstones: z.number().int().nonnegative(),
  graphBytes: z.number().int().nonnegative(),
});
export type BodyEnd = z.output<typeof endSchema>;

/**
 * One document: id, content version, content hash (null: not alive), metadata version, metadata (as they were said), and
 * for one that the graph finds its label and the label that stands for it in the graph (-1: it is behind the graph). At the
 * end whether only the beginning of its text was embedded, and for content that was put weakly the sequence that it stands
 * behind and the metadata that it brings: rows that have none of it, and bodies written before it was told, are without.
 */
export type DocumentRow = readonly [
  id: string,
  contentVersion: number,
  hash: string | null,
  metadataVersion: number,
  json: string | null,
  label: number,
  representative: number,
  truncated?: boolean,
  after?: number,
  weakJson?: string | null,
];

/** @throws SnapshotFault */
export function parseFrame<Schema extends z.ZodType>(schema: Schema, payload: Buffer, what: string): z.output<Schema> {
  const parsed = schema.safeParse(parseJson(payload, what));
  if (!parsed.success) throw new SnapshotFault(`${what} of the body is wrong: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

/** @throws SnapshotFault */
export function parseRows(payload: Buffer): DocumentRow[] {
  const rows = parseJson(payload, 'a list of documents');
  if (!Array.isArray(rows) || !rows.every(isRow)) throw new SnapshotFault('a list of documents of the body is wrong');
  return rows;
}

const textOrNull = (value: unknown) => value === null || typeof value === 'string';
const isSequence = (value: unknown) => Number.isSafeInteger(value) && Number(value) >= 0;
const isLabel = (value: unknown) => Number.isSafeInteger(value) && Number(value) >= -1;

const rowLengths: ReadonlySet<number> = new Set([7, 8, 10]);

// By hand: a schema per row would take longer than all the rest of loading.
function isRow(row: unknown): row is DocumentRow {
  if (!Array.isArray(row) || !rowLengths.has(row.length)) return false;
  const [id, contentVersion, hash, metadataVersion, json, label, representative, truncated, after, weakJson] =
    row as unknown[];
  return (
    typeof id === 'string' &&
    isSequence(contentVersion) &&
    textOrNull(hash) &&
    isSequence(metadataVersion) &&
    textOrNull(json) &&
    isLabel(label) &&
    isLabel(representative) &&
    (label === -1) === (representative === -1) &&
    (row.length === 7 || (typeof truncated === 'boolean' && (hash !== null || !truncated))) &&
    (row.length < 10 || (isSequence(after) && textOrNull(weakJson)))
  );
}

function parseJson(payload: Buffer, what: string): unknown {
  try {
    return JSON.parse(payload.toString('utf8'));
  } catch {
    throw new SnapshotFault(`${what} of the body is not JSON`);
  }
}
