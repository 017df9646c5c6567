import type { ResultExplanation, RetrievalMode, SearchExplanation } from '../../schemas/requests/explain.ts';
import type { PlaybookHit, RankedResult, RankInput, Ranking } from '../matrix/types.ts';

export interface Explained {
  readonly input: Pick<RankInput, 'playbookHits'>;
  readonly ranking: Ranking;
  readonly retrieval: RetrievalMode;
  readonly space: string;
}

/** What a whole answer tells of itself. */
export function explainSearch({ input, ranking, retrieval, space }: Explained): SearchExplanation {
  const gates = new Map(ranking.suppressed.map(({ playbookId, gate }) => [playbookId, gate]));
  const shown = new Set(ranking.results.flatMap(({ playbookIds }) => playbookIds));
  return {
    retrieval,
    space,
    playbooks_considered: input.playbookHits.length,
    playbooks_suppressed: input.playbookHits.flatMap((hit) => {
      if (shown.has(hit.playbookId)) return [];
      const { answer_id, answer_corpus } = hit.entry;
      // Not stopped at any gate, and yet not to be seen: its answer came too late.
      return [{ ...describe(hit), answer_id, answer_corpus, gate: gates.get(hit.playbookId) ?? 'cut' }];
    }),
  };
}

/** Why one result stands where it does. */
export function explainResult(result: RankedResult, { playbookHits }: Explained['input']): ResultExplanation {
  const { origin, baseDistance, factor, playbookIds, fused } = result;
  const playbooks = playbookIds.flatMap((id) => {
    const hit = playbookHits.find(({ playbookId }) => playbookId === id);
    return hit === undefined ? [] : [describe(hit)];
  });
  const explanation: ResultExplanation = { origin, base_distance: baseDistance, factor, playbooks };
  if (fused === undefined) return explanation;
  return {
    ...explanation,
    vector_rank: fused.ranks.vector,
    lexical_rank: fused.ranks.lexical,
    lexical_score: fused.lexicalScore,
    base_score: 1 - fused.order,
  };
}

function describe({ playbookId, distance, entry }: PlaybookHit) {
  const role = entry.role === null || entry.role === undefined || entry.role === '' ? {} : { role: entry.role };
  return { playbook_id: playbookId, distance, score: entry.score, ...role };
}
