import { decodeEvent } from '../../schemas/decode.ts';
import type { LogConnection } from '../../streams/connection.ts';
import { readStream } from '../../streams/read-stream.ts';

/** Distances of the nearest results of searches, in the order of the log. Bounded: the newest are kept. */
export const distancesMax = 200_000;

/**
 * The distance of the first result of each logged search of a corpus, before and from a moment on. Searches with playbooks
 * in play are left out, and those by words alone: what they tell says nothing of the embedder.
 * @param splitMs undefined: the middle of what there is
 */
export async function nearestDistances(
  connection: LogConnection,
  corpus: string | undefined,
  splitMs: number | undefined,
): Promise<{ before: number[]; after: number[]; splitMs: number }> {
  const seen: { atMs: number; distance: number }[] = [];
  for await (const { payload } of readStream(connection, 'SEARCHES')) {
    const decoded = decodeEvent('SEARCHES', payload);
    if (!decoded.ok) continue;
    for (const { searched_at, request, results, playbook_boosted, playbook_injected } of decoded.event.data.searches) {
      const [first] = results;
      if (first === undefined || playbook_boosted + playbook_injected > 0 || request.retrieval === 'lexical') continue;
      if (corpus !== undefined && first.corpus !== corpus) continue;
      seen.push({ atMs: Date.parse(searched_at), distance: first.distance });
    }
    if (seen.length > 2 * distancesMax) seen.splice(0, seen.length - distancesMax);
  }
  const middle = splitMs ?? seen[Math.floor(seen.length / 2)]?.atMs ?? 0;
  const of = (later: boolean) => seen.filter(({ atMs }) => atMs >= middle === later).map(({ distance }) => distance);
  return { before: of(false), after: of(true), splitMs: middle };
}
