import { decodeCursor, encodeCursor } from '../../../schemas/requests/lookups.ts';
import { compareIds } from '../../corpus-index/id-order.ts';

export interface PageRequest {
  readonly cursor?: string | undefined;
  readonly limit: number;
}

export interface Page<Row> {
  readonly rows: Row[];
  readonly nextCursor: string | null;
}

/**
 * The first rows behind a cursor, by id in the order of UTF-8 bytes. Ids order pages, so that any worker can answer the
 * next one, and what comes and goes between two pages moves no other row. One pass over the ids, with no more than a page
 * of rows in memory.
 */
export function pageOf<Row extends { readonly id: string }>(
  rows: Iterable<Row>,
  { cursor, limit }: PageRequest,
): Page<Row> {
  const after = cursor === undefined ? undefined : decodeCursor(cursor);
  const page: Row[] = [];
  for (const row of rows) {
    if (after !== undefined && compareIds(row.id, after) <= 0) continue;
    const last = page[limit];
    if (last !== undefined && compareIds(row.id, last.id) >= 0) continue;
    page.splice(placeOf(row.id, page), 0, row);
    // One more than a page: it tells that there is a next one.
    if (page.length > limit + 1) page.pop();
  }
  const rest = page.length > limit;
  const shown = rest ? page.slice(0, limit) : page;
  return { rows: shown, nextCursor: rest ? encodeCursor(shown.at(-1)?.id ?? '') : null };
}

/** Where an id belongs in a list that is in order. */
function placeOf(id: string, page: readonly { readonly id: string }[]): number {
  let low = 0;
  let high = page.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compareIds(page[middle]?.id ?? '', id) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
