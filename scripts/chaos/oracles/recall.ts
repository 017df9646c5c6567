import type { Check } from '../fault-row.ts';
import type { ChaosStack } from '../stack.ts';
import { attempt } from './check.ts';
import { createCleanFold, endOfLog } from './clean-fold.ts';
import { seeSearch } from './prefix.ts';

export const recallMin = 0.98;
const tieDistance = 1e-4;

/**
 * B: what searches find, asked of the gateway, against exact search over a clean fold of the log: of the k nearest by exact
 * distance the part that was found, at least 0.98. A hit at the distance of the k-th nearest counts (ties). For a log that
 * nobody appends to meanwhile.
 */
export async function checkRecall(
  { operator, url }: Pick<ChaosStack, 'operator' | 'url'>,
  corpus: string,
  queries: readonly Float32Array[],
): Promise<Check> {
  return attempt(`B: recall against exact search is at least ${recallMin}`, async () => {
    const fold = createCleanFold(operator);
    await fold.foldTo(await endOfLog(operator));
    const [entry] = fold.catalogue.ofCorpus('documents', corpus, null);
    if (entry === undefined) return { held: false, seen: `there is no corpus "${corpus}"` };
    let [found, wanted, unanswered] = [0, 0, 0];
    for (const query of queries) {
      const sight = await seeSearch(url, corpus, query);
      const hits = sight !== undefined && 'hits' in sight ? sight.hits : undefined;
      if (hits === undefined) unanswered++;
      const exact = entry.index.search(query, 10, { exact: true });
      const bound = (exact.at(-1)?.distance ?? 0) + tieDistance;
      wanted += exact.length;
      found += Math.min(exact.length, (hits ?? []).filter(({ distance }) => distance <= bound).length);
    }
    const recall = wanted === 0 ? 0 : found / wanted;
    return {
      held: recall >= recallMin && unanswered === 0,
      seen: `${recall.toFixed(4)} over ${queries.length} queries of ${entry.index.size} documents, ${unanswered} unanswered`,
    };
  });
}
