import { type ProblemCode, ProblemError } from '../../schemas/problems.ts';
import {
  type EmbedRequest,
  type EmbedStatsReply,
  embedRequestSchema,
  embedSlips,
} from '../../schemas/requests/embed.ts';
import { parseRequestBytes } from '../../schemas/requests/parse.ts';
import { formatSpace } from '../../schemas/space.ts';
import { encodeVector } from '../../schemas/vector.ts';
import type { Clock } from '../../streams/clock.ts';
import type { ServiceHandler, ServiceRequest } from '../../streams/service.ts';
import type { CachedEmbedder } from './cache.ts';
import { EmbedderError, type EmbedResult, effectiveModel } from './embedder.ts';

const problemOf: Readonly<Record<EmbedderError['reason'], ProblemCode>> = {
  outage: 'upstream_failed',
  model_missing: 'upstream_failed',
  bad_reply: 'upstream_failed',
  text_refused: 'text_refused',
  deadline: 'deadline_passed',
};

/** The endpoints of the embed worker: vectors for people (`texts`), for other workers (`vectors`), and the counters. */
export function embedEndpoints(embedder: CachedEmbedder, clock: Clock): Record<string, ServiceHandler> {
  const { model, dimension } = embedder.space;
  const space = formatSpace(embedder.space);
  return {
    'svc.embed.texts': async (request) => {
      const { vectors } = await answer(request, embedder, clock);
      return { body: JSON.stringify({ model, dimension, vectors: vectors.map((vector) => Array.from(vector)) }) };
    },
    'svc.embed.vectors': async (request) => {
      const { vectors, truncated } = await answer(request, embedder, clock);
      return { body: JSON.stringify({ space, vectors: vectors.map(encodeVector), truncated }) };
    },
    'svc.embed.stats': () => {
      const { hits, misses, hit_rate, size } = embedder.stats();
      const stats: EmbedStatsReply = { embedder: embedder.name, model, dimension, space, hits, misses, hit_rate, size };
      return { body: JSON.stringify(stats) };
    },
  };
}

async function answer(request: ServiceRequest, embedder: CachedEmbedder, clock: Clock): Promise<EmbedResult> {
  const { texts, model, kind } = parseRequestBytes(embedRequestSchema, request.body, embedSlips);
  refuseOtherModel(model, embedder);
  const signal = AbortSignal.timeout(Math.max(1, Math.round(request.deadlineAtMs - clock.monotonicMs())));
  try {
    return await embedder.embed(texts, kind, signal);
  } catch (error) {
    if (!(error instanceof EmbedderError)) throw error;
    const index = error.textIndex;
    throw new ProblemError(problemOf[error.reason], error.message, index === undefined ? {} : { text_index: index });
  }
}

function refuseOtherModel(model: EmbedRequest['model'], embedder: CachedEmbedder): void {
  if (effectiveModel(model, embedder.space) === embedder.space.model) return;
  const detail = `"${model}" is not served here; the model in use is "${embedder.space.model}" (LAKEHOUSE_EMBEDDER)`;
  throw new ProblemError('bad_request', detail, { field: 'model' });
}
