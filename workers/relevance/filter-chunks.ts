import { setImmediate as letOthersIn } from 'node:timers/promises';
import type { RelevanceReply, RelevanceRequest, ScoredChunk } from '../../schemas/requests/relevance.ts';
import type { Clock } from '../../streams/clock.ts';
import { prepareFocus, scoreChunk } from './relevance.ts';

/** Others in the process wait no longer than this, and one chunk. */
const sliceMs = 10;

/** Parts chunks by their score: kept where it is at least the threshold, else dropped. Each list keeps their order. */
export async function filterChunks(
  { focus, chunks, threshold }: RelevanceRequest,
  clock: Pick<Clock, 'monotonicMs'>,
): Promise<RelevanceReply> {
  const prepared = prepareFocus(focus);
  const kept: ScoredChunk[] = [];
  const dropped: ScoredChunk[] = [];
  let began = clock.monotonicMs();
  for (const chunk of chunks) {
    const scored = { ...chunk, ...scoreChunk(prepared, chunk) };
    (scored.score >= threshold ? kept : dropped).push(scored);
    if (clock.monotonicMs() - began < sliceMs) continue;
    await letOthersIn();
    began = clock.monotonicMs();
  }
  return { threshold, kept, dropped };
}
