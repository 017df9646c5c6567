import { ProblemError } from '../../schemas/problems.ts';
import type { EmbedRequest } from '../../schemas/requests/embed.ts';
import { formatSpace } from '../../schemas/space.ts';
import type { CachedEmbedder } from './cache.ts';
import { effectiveModel } from './embedder.ts';

/** The embedders of one worker: the configured one, and those that are offered beside it. */
export interface OfferedEmbedders {
  readonly configured: CachedEmbedder;
  readonly all: readonly CachedEmbedder[];
  /** The one that makes vectors of a space, given in its written form. */
  ofSpace(space: string): CachedEmbedder | undefined;
}

export function offerEmbedders(configured: CachedEmbedder, beside: readonly CachedEmbedder[]): OfferedEmbedders {
  const all = [configured, ...beside];
  const bySpace = new Map(all.map((embedder) => [formatSpace(embedder.space), embedder]));
  return { configured, all, ofSpace: (space) => bySpace.get(space) };
}

/**
 * The embedder that a request means: by its space, by its model, else the configured one.
 * @throws ProblemError `space_mismatch` for a space, `bad_request` for a model that is not offered
 */
export function chooseOffered(
  { model, space }: Pick<EmbedRequest, 'model' | 'space'>,
  offered: OfferedEmbedders,
): CachedEmbedder {
  const names = offered.all.map((embedder) => `"${embedder.space.model}"`).join(', ');
  const how = 'LAKEHOUSE_EMBEDDER and LAKEHOUSE_EMBED_MODELS say which are';
  if (space !== undefined) {
    const found = offered.ofSpace(space);
    if (found !== undefined && effectiveModel(model, found.space) === found.space.model) return found;
    throw new ProblemError('space_mismatch', `no embedder here makes ${space}: offered are ${names} (${how})`);
  }
  const wanted = effectiveModel(model, offered.configured.space);
  const found = offered.all.find((embedder) => embedder.space.model === wanted);
  if (found !== undefined) return found;
  const detail = `"${model}" is not served here; the models in use are ${names} (${how})`;
  throw new ProblemError('bad_request', detail, { field: 'model' });
}
