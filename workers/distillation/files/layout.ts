import { readdir } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import type { Exporter } from '../../../schemas/distillation/exports.ts';
import { isAbsent } from './json-lines.ts';

/** Where everything lies below the data directory. Paths inside receipts are relative to it, with `/`. */
export const layout = {
  evidence: 'evidence',
  scoredRuns: 'scored-runs',
  skips: '_kb/distillation_skips.jsonl',
  exports: {
    rag: 'exports/rag/playbooks.jsonl',
    sft: 'exports/sft/instruction_response.jsonl',
    preference: 'exports/preference/chosen_rejected.jsonl',
  } satisfies Record<Exporter, string>,
  quarantine: (exporter: Exporter) => `exports/quarantine/${exporter}.jsonl`,
  runs: 'reports/distillation',
} as const;

/** `YYYY/MM/DD` of a run. @param recordedAt ISO 8601 */
export function partitionOf(recordedAt: string): string {
  return new Date(recordedAt).toISOString().slice(0, 10).replaceAll('-', '/');
}

/** The `.jsonl` files below a folder, relative to the root, in order of their names; none where the folder is missing. */
export async function jsonlFiles(root: string, folder: string): Promise<string[]> {
  try {
    const entries = await readdir(join(root, folder), { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile() && entry.name.endsWith('.jsonl'))
      .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'))
      .sort();
  } catch (error) {
    if (isAbsent(error)) return [];
    throw error;
  }
}
