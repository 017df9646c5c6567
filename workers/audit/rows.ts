import { join } from 'node:path';
import { readLines } from '../distillation/files/json-lines.ts';

export interface AuditedRow {
  /** Counted from 1, as editors count. */
  readonly line: number;
  readonly path: string;
  /** Undefined where the line is no JSON. */
  readonly value: Readonly<Record<string, unknown>> | undefined;
}

/**
 * The lines of a file below the root, whatever is in them; a torn last line is one that is no JSON. A file that is not
 * there has none.
 */
export async function* auditedRows(root: string, path: string): AsyncGenerator<AuditedRow, void, void> {
  let line = 0;
  for await (const { text, torn } of readLines(join(root, path), 'given')) {
    line++;
    yield { line, path, value: torn === true ? undefined : parse(text) };
  }
}

function parse(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

export function placeOf({ path, line }: AuditedRow): string {
  return `${path}:${line}`;
}

/** Whether a row's provenance has a signature of 64 lower-case hex digits, a file, an offset and a time. */
export function hasProvenance(row: AuditedRow): boolean {
  const provenance = row.value?.provenance;
  if (typeof provenance !== 'object' || provenance === null) return false;
  const { sig_hash, source_file, line_offset, recorded_at } = provenance as Record<string, unknown>;
  return (
    typeof sig_hash === 'string' &&
    /^[0-9a-f]{64}$/.test(sig_hash) &&
    typeof source_file === 'string' &&
    source_file !== '' &&
    Number.isSafeInteger(line_offset) &&
    typeof recorded_at === 'string'
  );
}
