import { type Metrics, readCounter, readGauge } from '../../streams/telemetry/metrics.ts';
import type { CachedEmbedder } from './cache.ts';

/** How the cache of vectors does. */
export function tellOfCache(metrics: Metrics, embedder: Pick<CachedEmbedder, 'stats'>): void {
  readCounter(metrics, {
    name: 'lakehouse_embed_cache_hits_total',
    help: 'Texts whose vector was remembered',
    read: () => embedder.stats().hits,
  });
  readCounter(metrics, {
    name: 'lakehouse_embed_cache_misses_total',
    help: 'Texts whose vector had to be worked out',
    read: () => embedder.stats().misses,
  });
  readGauge(metrics, {
    name: 'lakehouse_embed_cache_entries',
    help: 'Texts whose vectors are remembered now',
    read: () => embedder.stats().size,
  });
}
