import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Space } from '../../schemas/space.ts';
import { checkTexts, type Embedder, EmbedderError, type EmbedKind, type EmbedResult, prefixFor } from './embedder.ts';

/** Entries that are kept unless told otherwise: about 30 MiB at 768 dimensions. */
export const cacheEntriesMax = 10_000;

export interface CacheStats {
  /** Texts that were answered from the cache. */
  readonly hits: number;
  /** Texts that were not. */
  readonly misses: number;
  /** hits / (hits + misses), 0 before the first text. */
  readonly hit_rate: number;
  /** Entries that are in the cache now. */
  readonly size: number;
}

export interface CachedEmbedder extends Embedder {
  stats(): CacheStats;
  /** A copy of what is remembered of one text, counted as a hit; undefined, and not counted, where nothing is. */
  remembered(text: string, kind: EmbedKind): { vector: Float32Array; truncated: boolean } | undefined;
}

interface Entry {
  readonly vector: Float32Array;
  readonly truncated: boolean;
}

/**
 * Remembers the vectors of an embedder, least recently used first out. Works text by text: what is known is not asked for,
 * the order of the answer is that of the request, and where all is known the embedder is not called. A failure
 * of the embedder is the caller's and nothing of it is kept. `entriesMax` of 0 or less passes everything through.
 */
export function withCache(inner: Embedder, entriesMax: number = cacheEntriesMax): CachedEmbedder {
  if (entriesMax <= 0) return passThrough(inner);
  const entries = new LRUCache<string, Entry>({ max: entriesMax });
  let hits = 0;
  let misses = 0;
  return {
    space: inner.space,
    name: inner.name,
    embed: async (texts, kind, signal) => {
      checkTexts(texts);
      const keys = texts.map((text) => cacheKey(inner.space.model, text, kind, inner.space));
      // Held here until the answer is complete: what is fetched may push what was found out of the cache.
      const known = new Map<string, Entry>();
      for (const key of keys) {
        const entry = entries.get(key);
        if (entry === undefined) misses += 1;
        else {
          hits += 1;
          known.set(key, entry);
        }
      }
      for (const [key, entry] of await embedMissing(inner, texts, keys, known, kind, signal)) {
        entries.set(key, entry);
        known.set(key, entry);
      }
      return toResult(keys, known);
    },
    close: () => inner.close(),
    stats: () => toStats(hits, misses, entries.size),
    remembered: (text, kind) => {
      const entry = entries.get(cacheKey(inner.space.model, text, kind, inner.space));
      if (entry === undefined) return undefined;
      hits += 1;
      return { vector: entry.vector.slice(), truncated: entry.truncated };
    },
  };
}

/**
 * `<effective model>:<sha256 of the text in hex>`. Where the space has prefixes, the prefix of the kind is hashed
 * with the text, for the same text is then another vector as a query than as a document.
 */
export function cacheKey(model: string, text: string, kind: EmbedKind, space: Pick<Space, 'prefixScheme'>): string {
  const marked = prefixFor(space.prefixScheme, kind) + text;
  return `${model}:${createHash('sha256').update(marked).digest('hex')}`;
}

/** Asks for each unknown text once, and for none where all are known. */
async function embedMissing(
  inner: Embedder,
  texts: readonly string[],
  keys: readonly string[],
  known: ReadonlyMap<string, Entry>,
  kind: EmbedKind,
  signal: AbortSignal,
): Promise<Map<string, Entry>> {
  const indexByKey = new Map<string, number>();
  keys.forEach((key, index) => {
    if (!known.has(key) && !indexByKey.has(key)) indexByKey.set(key, index);
  });
  const missing = new Map<string, Entry>();
  if (indexByKey.size === 0) return missing;
  const indices = [...indexByKey.values()];
  const missingTexts = indices.map((index) => texts[index] ?? '');
  const result = await inner.embed(missingTexts, kind, signal).catch((error: unknown) => {
    throw withCallersIndex(error, indices);
  });
  [...indexByKey.keys()].forEach((key, position) => {
    const vector = result.vectors[position];
    if (vector !== undefined) missing.set(key, { vector, truncated: result.truncated[position] ?? false });
  });
  return missing;
}

/** A refused text is named by its place in the request that the caller made, not in the shorter one made here. */
function withCallersIndex(error: unknown, indices: readonly number[]): unknown {
  if (!(error instanceof EmbedderError) || error.textIndex === undefined) return error;
  const textIndex = indices[error.textIndex];
  if (textIndex === error.textIndex) return error;
  return new EmbedderError({ kind: 'text_refused', message: error.message, textIndex }, { cause: error });
}

/** Copies, so that a caller who changes a vector changes only its own. */
function toResult(keys: readonly string[], known: ReadonlyMap<string, Entry>): EmbedResult {
  const found = keys.map((key) => {
    const entry = known.get(key);
    if (entry !== undefined) return entry;
    throw new EmbedderError({ kind: 'bad_reply', message: 'The embedder gave fewer vectors than it was asked for.' });
  });
  return { vectors: found.map((entry) => entry.vector.slice()), truncated: found.map((entry) => entry.truncated) };
}

function passThrough(inner: Embedder): CachedEmbedder {
  return {
    space: inner.space,
    name: inner.name,
    embed: (texts, kind, signal) => inner.embed(texts, kind, signal),
    close: () => inner.close(),
    stats: () => toStats(0, 0, 0),
    remembered: () => undefined,
  };
}

function toStats(hits: number, misses: number, size: number): CacheStats {
  const lookups = hits + misses;
  return { hits, misses, hit_rate: lookups === 0 ? 0 : hits / lookups, size };
}
