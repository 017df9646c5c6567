import type { z } from 'zod';
import type { LogPageQuery } from '../../schemas/requests/audit.ts';
import { readLines } from '../distillation/files/json-lines.ts';

/** What the rows of one page may take; a page is cut shorter for it. */
export const pageBytesMax = 1024 * 1024;

export interface LogPage<Row> {
  /** Newest first; null for a row that is not of the schema. */
  readonly rows: readonly { readonly sequence: number; readonly row: Row | null }[];
  readonly nextBefore: number | null;
}

/**
 * A page of a log that lies in a file, line N being sequence N. The file is read through, and never more of it kept than
 * the page.
 * @param wanted which rows count; every one where it is left out
 */
export async function readLogPage<Schema extends z.ZodType>(
  path: string,
  schema: Schema,
  { limit, before = Number.POSITIVE_INFINITY }: LogPageQuery,
  wanted: (row: z.output<Schema> | null) => boolean = () => true,
): Promise<LogPage<z.output<Schema>>> {
  const kept: { sequence: number; bytes: number; row: z.output<Schema> | null }[] = [];
  let [sequence, bytes, older] = [0, 0, false];
  for await (const { text, length } of readLines(path)) {
    sequence++;
    if (sequence >= before) break;
    const row = rowOf(text, schema);
    if (!wanted(row)) continue;
    kept.push({ sequence, bytes: length, row });
    bytes += length;
    while (kept.length > limit || (bytes > pageBytesMax && kept.length > 1)) {
      bytes -= kept.shift()?.bytes ?? 0;
      older = true;
    }
  }
  const rows = kept.reverse().map((one) => ({ sequence: one.sequence, row: one.row }));
  return { rows, nextBefore: older ? (rows.at(-1)?.sequence ?? null) : null };
}

function rowOf<Schema extends z.ZodType>(text: string, schema: Schema): z.output<Schema> | null {
  try {
    return schema.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}
