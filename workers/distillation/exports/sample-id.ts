import { createHash } from 'node:crypto';
import type { Exporter } from '../../../schemas/distillation/exports.ts';

/**
 * The id of an exported row: the exporter's name, a dash and the first 32 hex digits of SHA-256 over the run's id, a NUL and
 * the row's signature (of both rows, for a pair). The same evidence has the same id in every run.
 */
export function sampleId(exporter: Exporter, ...parts: readonly string[]): string {
  return `${exporter}-${createHash('sha256').update(parts.join('\0'), 'utf8').digest('hex').slice(0, 32)}`;
}
