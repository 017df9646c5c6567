import type { LoggedSearch } from '../../schemas/events/search-log.ts';
import type { Position } from '../../schemas/position.ts';
import type { SearchRequest } from '../../schemas/requests/matrix.ts';
import { append, nextMessageId } from '../../streams/append.ts';
import { isoTime } from '../../streams/clock.ts';
import type { LogConnection } from '../../streams/connection.ts';
import { createSoon } from '../../streams/soon.ts';
import type { Ranking } from '../matrix/types.ts';

/**
 * Shorter than it takes to fill the young generation: what waits longer is promoted, and 200 searches a second that wait a
 * quarter of a second bring on three times as many collections of everything.
 */
const flushMs = 50;
/** Searches logged in one flush at most; beyond it they are sampled away, so that logging costs no capacity. */
const searchesPerFlushMax = 10;

export interface SearchLog {
  note(request: SearchRequest, ranking: Ranking, position: Position, traceId: string | undefined): void;
  stop(): Promise<void>;
}

/**
 * Logs searches and their answers on SEARCHES, batched, so that they can be asked again later.
 * @param sample the part that is logged, 0 to 1
 * @param random uniform in [0, 1)
 */
export function startSearchLog(connection: LogConnection, sample: number, random: () => number): SearchLog {
  let noted: { corpus: string; search: LoggedSearch }[] = [];
  let sending: Promise<unknown> = Promise.resolve();

  const send = () => {
    const byCorpus = new Map<string, LoggedSearch[]>();
    for (const { corpus, search } of noted) byCorpus.set(corpus, [...(byCorpus.get(corpus) ?? []), search]);
    noted = [];
    for (const [corpus, searches] of byCorpus) {
      const options = { messageId: `searches:${nextMessageId()}`, source: 'index-worker' };
      // A search that can not be logged was answered all the same.
      sending = append(connection, 'lakehouse.search', { corpus }, { corpus, searches }, options).catch(
        () => undefined,
      );
    }
  };
  const flush = createSoon(flushMs, send);

  return {
    note: (request, ranking, position, traceId) => {
      if (noted.length >= searchesPerFlushMax || (sample < 1 && random() >= sample)) return;
      const [corpus] = request.corpora;
      if (corpus === undefined) return;
      noted.push({ corpus, search: loggedSearch(request, ranking, position, traceId, isoTime(connection.clock)) });
      flush.ask();
    },
    stop: async () => {
      flush.cancel();
      send();
      await sending;
    },
  };
}

function loggedSearch(
  request: SearchRequest,
  ranking: Ranking,
  position: Position,
  traceId: string | undefined,
  searchedAt: string,
): LoggedSearch {
  return {
    searched_at: searchedAt,
    query_text: request.query_text ?? null,
    request: { ...request },
    position: { ...position },
    results: ranking.results.map(({ id, corpus, distance }) => ({ id, corpus, distance })),
    playbook_boosted: ranking.boosted,
    playbook_injected: ranking.injected,
    lifts: liftsOf(request, ranking),
    ...(traceId === undefined ? {} : { trace_id: traceId }),
  };
}

type Lifted = NonNullable<LoggedSearch['lifts']>;

function liftsOf({ playbook_corpus: corpus }: SearchRequest, { results }: Ranking): Lifted {
  return results.flatMap(({ origin, factor, playbookIds: [decided] }): Lifted => {
    if (decided === undefined || (origin === 'retrieved' && factor >= 1)) return [];
    return [{ corpus, playbook_id: decided, kind: origin === 'injected' ? 'injected' : 'boosted' }];
  });
}
