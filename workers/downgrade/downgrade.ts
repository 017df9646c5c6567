import type { DowngradeReply, DowngradeRequest } from '../../schemas/requests/downgrade.ts';

/** The mode that gives a reviewer everything that was retrieved, and the one that gives the file alone. */
export const composedMode = 'codereview_lakehouse';
export const isolatedMode = 'codereview_isolation';

export interface DowngradeDefaults {
  /** What holds where a request does not say. */
  readonly forceFullEnrichment: boolean;
  /** Models that need the retrieved context, by their whole name. */
  readonly weakModels: readonly string[];
}

/** Free tiers, and what is listed. */
export function isWeakModel(model: string, weakModels: readonly string[]): boolean {
  return model.endsWith(':free') || model.includes(':free/') || weakModels.includes(model);
}

/**
 * Strong models review better without what retrieval adds, so their composed mode becomes the isolated one; weak models
 * keep it. A forced mode is left alone before all else, then full enrichment.
 */
export function decideDowngrade(request: DowngradeRequest, defaults: DowngradeDefaults): DowngradeReply {
  const { mode, model, forced_mode: forced = false } = request;
  if (mode !== composedMode) return { mode, reason: 'other_mode' };
  if (forced !== false && forced !== '') return { mode, reason: 'forced' };
  if (request.force_full_enrichment ?? defaults.forceFullEnrichment) return { mode, reason: 'full_enrichment' };
  if (isWeakModel(model, defaults.weakModels)) return { mode, reason: 'weak_model' };
  return { mode: isolatedMode, downgraded_from: mode, reason: 'strong_model' };
}
