import { createHash } from 'node:crypto';

/**
 * JSON with the keys of every object in the order of their UTF-16 code units, at every depth, and nothing else changed:
 * two rows that differ in the order of their keys are one. Characters such as `<`, `>` and `&` stay as they are.
 * @param value what `JSON.parse` gave
 */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const entries = Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1));
  return `{${entries.map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`).join(',')}}`;
}

/** SHA-256 of the canonical JSON, 64 lower-case hex digits: the identity of a source row. */
export function canonicalSha256(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value), 'utf8').digest('hex');
}
