import { decodeEvent } from '../../schemas/decode.ts';
import type { LoggedSearch } from '../../schemas/events/search-log.ts';
import { type SearchRequest, searchRequestSchema } from '../../schemas/requests/matrix.ts';
import type { LogConnection } from '../../streams/connection.ts';
import { readStream } from '../../streams/read-stream.ts';

/** A search as SEARCHES has it, ready to be asked again. */
export interface SearchToReplay {
  readonly logged: { readonly sequence: number; readonly index: number };
  readonly searchedAt: string;
  readonly request: SearchRequest;
}

export interface SearchesToReplay {
  /** In the order of the log. */
  readonly searches: readonly SearchToReplay[];
  readonly leftOut: { older: number; unreadable: number; judged: number };
}

/**
 * The newest searches that SEARCHES holds, of every corpus or of one. A search of a side index is asked as one of the corpus;
 * one whose answer a model had a say in can not be asked again with the same answer, and is left out.
 * @param limit searches kept in memory at most
 */
export async function readSearches(
  connection: LogConnection,
  { corpus, limit }: { readonly corpus: string | undefined; readonly limit: number },
): Promise<SearchesToReplay> {
  const leftOut = { older: 0, unreadable: 0, judged: 0 };
  let searches: SearchToReplay[] = [];
  const letOlderGo = () => {
    leftOut.older += Math.max(0, searches.length - limit);
    searches = searches.slice(-limit);
  };
  for await (const { sequence, payload } of readStream(connection, 'SEARCHES')) {
    const decoded = decodeEvent('SEARCHES', payload);
    if (!decoded.ok) {
      leftOut.unreadable++;
      continue;
    }
    for (const [index, search] of decoded.event.data.searches.entries()) {
      const request = requestOf(search);
      if (request === undefined) leftOut.unreadable++;
      else if (corpus !== undefined && !request.corpora.includes(corpus)) continue;
      else if (request.judge_url !== undefined) leftOut.judged++;
      else searches.push({ logged: { sequence, index }, searchedAt: search.searched_at, request });
    }
    if (searches.length > 2 * limit) letOlderGo();
  }
  letOlderGo();
  return { searches, leftOut };
}

function requestOf({ request }: LoggedSearch): SearchRequest | undefined {
  const read = searchRequestSchema.safeParse(request);
  if (!read.success) return undefined;
  const { index: _, ...asked } = read.data;
  return asked;
}
