import type { CallOptions } from './exchange.ts';

export interface PageInput extends CallOptions {
  /** `next_cursor` of the page before. */
  readonly cursor?: string | null;
  readonly limit?: number;
}

export function pathOf(...parts: readonly string[]): string {
  return `/v1/${parts.map(encodeURIComponent).join('/')}`;
}

export function queryOf(fields: Readonly<Record<string, string | number | null | undefined>>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) if (value != null) query.set(name, String(value));
  return query.size === 0 ? '' : `?${query}`;
}
