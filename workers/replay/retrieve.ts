import type { RagSample } from '../../schemas/distillation/exports.ts';
import type { RetrievedArtifact } from '../../schemas/distillation/replay-run.ts';
import { jaccard, tokenSet } from './tokens.ts';

export const retrieveLimits = { artifactsMax: 8, previewCharacters: 240 } as const;

/** A playbook as a retriever gives it, with how near it is: a larger score is nearer. */
export interface Retrieved {
  readonly sample: RagSample;
  readonly score: number;
}

/**
 * The playbooks that share most words with a task (Jaccard over title and content), at most eight, the best first and
 * ties by id; none that shares no word. Reads one playbook after another and keeps the best alone.
 */
export async function retrieveByWords(
  task: string,
  samples: AsyncIterable<RagSample> | Iterable<RagSample>,
): Promise<Retrieved[]> {
  const wanted = tokenSet(task);
  let best: Retrieved[] = [];
  for await (const sample of samples) {
    const score = jaccard(wanted, tokenSet(`${sample.title} ${sample.content}`));
    if (score === 0) continue;
    best.push({ sample, score });
    if (best.length >= 2 * retrieveLimits.artifactsMax) best = nearest(best);
  }
  return nearest(best);
}

function nearest(retrieved: readonly Retrieved[]): Retrieved[] {
  return [...retrieved]
    .sort((left, right) => right.score - left.score || (left.sample.id < right.sample.id ? -1 : 1))
    .slice(0, retrieveLimits.artifactsMax);
}

/** What of a playbook goes into the row of a run. */
export function artifactOf({ sample, score }: Retrieved): RetrievedArtifact {
  const { id, source_run_id, title, content, success_score, tags } = sample;
  const content_preview = content.slice(0, retrieveLimits.previewCharacters);
  return { rag_id: id, source_run_id, title, content_preview, success_score, tags, score };
}
