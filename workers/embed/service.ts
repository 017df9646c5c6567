import { type ProblemCode, ProblemError } from '../../schemas/problems.ts';
import { type EmbedStatsReply, embedRequestSchema, embedSlips } from '../../schemas/requests/embed.ts';
import { parseRequestBytes } from '../../schemas/requests/parse.ts';
import { formatSpace } from '../../schemas/space.ts';
import { encodeVector } from '../../schemas/vector.ts';
import type { Clock } from '../../streams/clock.ts';
import type { ServiceHandler, ServiceRequest } from '../../streams/service.ts';
import type { CachedEmbedder } from './cache.ts';
import { EmbedderError, type EmbedResult } from './embedder.ts';
import { chooseOffered, type OfferedEmbedders } from './offered.ts';

const problemOf: Readonly<Record<EmbedderError['reason'], ProblemCode>> = {
  outage: 'upstream_failed',
  model_missing: 'upstream_failed',
  bad_reply: 'upstream_failed',
  text_refused: 'text_refused',
  deadline: 'deadline_passed',
};

/** The endpoints of the embed worker: vectors for people (`texts`), for other workers (`vectors`), and the counters. */
export function embedEndpoints(offered: OfferedEmbedders, clock: Clock): Record<string, ServiceHandler> {
  return {
    'svc.embed.texts': async (request) => {
      const { vectors, embedder } = await answer(request, offered, clock);
      const { model, dimension } = embedder.space;
      return { body: JSON.stringify({ model, dimension, vectors: vectors.map((vector) => Array.from(vector)) }) };
    },
    'svc.embed.vectors': async (request) => {
      const { vectors, truncated, embedder } = await answer(request, offered, clock);
      const space = formatSpace(embedder.space);
      return { body: JSON.stringify({ space, vectors: vectors.map(encodeVector), truncated }) };
    },
    'svc.embed.stats': () => {
      const { configured, all } = offered;
      const { model, dimension } = configured.space;
      const stats: EmbedStatsReply = {
        embedder: configured.name,
        model,
        dimension,
        space: formatSpace(configured.space),
        ...configured.stats(),
        beside: all.filter((one) => one !== configured).map(({ space }) => formatSpace(space)),
      };
      return { body: JSON.stringify(stats) };
    },
  };
}

async function answer(
  request: ServiceRequest,
  offered: OfferedEmbedders,
  clock: Clock,
): Promise<EmbedResult & { readonly embedder: CachedEmbedder }> {
  const { texts, model, space, kind } = parseRequestBytes(embedRequestSchema, request.body, embedSlips);
  const embedder = chooseOffered({ model, space }, offered);
  const signal = AbortSignal.timeout(Math.max(1, Math.round(request.deadlineAtMs - clock.monotonicMs())));
  try {
    return { ...(await embedder.embed(texts, kind, signal)), embedder };
  } catch (error) {
    if (!(error instanceof EmbedderError)) throw error;
    const index = error.textIndex;
    throw new ProblemError(problemOf[error.reason], error.message, index === undefined ? {} : { text_index: index });
  }
}
