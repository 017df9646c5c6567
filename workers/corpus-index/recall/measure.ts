import { prepareQuery, scoreError } from '../metric.ts';
import { type SearchContext, searchGeneration } from '../search.ts';
import { createBoundedHeap } from '../selection.ts';
import type { QuerySamples } from './samples.ts';

export interface Measured {
  /** The smallest `ef` that meets the target, with some to spare, for every kind of query; else the largest tried. */
  readonly ef: number;
  /** Recall@10 at that `ef`, of the kind of query for which it is the least. */
  readonly recall: number;
  readonly queries: number;
}

export const measuredK = 10;
/** Tried from the smallest on. Below the first, what a query costs besides the walk outweighs it. */
export const efLadder = [32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1_024] as const;
/** Values scored in one go: one to three milliseconds. */
const valuesAtOnce = 4 * 1024 * 1024;
/** Graph searches in one go visit about so many candidates. */
const candidatesAtOnce = 1_024;

/**
 * Measures recall@10 of the graph against exact scans. Yields every few milliseconds, so that whoever runs it can let
 * others in; nothing is lost when documents change in between, as one or two do not change a recall.
 */
export function* measureRecall(
  samples: QuerySamples,
  target: number,
  context: SearchContext,
): Generator<undefined, Measured> {
  const kinds: Known[][] = [];
  for (const queries of [samples.beside, samples.between, samples.asked]) {
    const known: Known[] = [];
    for (const query of queries) known.push({ query, bound: yield* exactBound(query, context) });
    if (known.length > 0) kinds.push(known);
  }
  const queries = kinds.reduce((sum, kind) => sum + kind.length, 0);
  // Half of the misses that are allowed: queries that were not sampled may be a little harder.
  const aim = 1 - (1 - target) / 2;
  let recall = 0;
  for (const ef of efLadder) {
    recall = 1;
    for (const kind of kinds) {
      recall = Math.min(recall, yield* recallOf(kind, ef, context));
      if (recall < aim) break;
    }
    if (recall >= aim) return { ef, recall, queries };
  }
  return { ef: efLadder.at(-1) ?? 0, recall, queries };
}

interface Known {
  readonly query: Float32Array;
  /** The distance up to which a document is among the true ten nearest. */
  readonly bound: number;
}

function* exactBound(query: Float32Array, context: SearchContext): Generator<undefined, number> {
  const { generation, dimension, distance } = context;
  const { arena } = generation;
  const cosine = distance === 'cosine';
  const { scanned } = prepareQuery(query, dimension, distance);
  const atOnce = Math.max(1, Math.floor(valuesAtOnce / dimension));
  const scores = new Float32Array(Math.min(atOnce, arena.count));
  const nearest = createBoundedHeap(measuredK);
  const { count } = arena;
  for (let from = 0; from < count; from += atOnce) {
    const to = Math.min(count, from + atOnce);
    arena.scan(cosine ? 'dots' : 'squares', scanned, from, to, scores);
    for (let label = from; label < to; label++) {
      if (generation.slotOf(label) < 0) continue;
      const score = scores[label - from] ?? 0;
      nearest.offer(cosine ? 1 - score / arena.norm(label) : score);
    }
    yield;
  }
  const error = 2 * scoreError(dimension);
  return cosine ? nearest.worst() + error : Math.sqrt(nearest.worst() * (1 + error));
}

function* recallOf(kind: readonly Known[], ef: number, context: SearchContext): Generator<undefined, number> {
  const wanted = Math.min(measuredK, context.live);
  let found = 0;
  let visited = 0;
  for (const { query, bound } of kind) {
    const hits = searchGeneration(query, wanted, { ef }, context);
    found += hits.filter((hit) => hit.distance <= bound).length;
    visited += ef;
    if (visited < candidatesAtOnce) continue;
    visited = 0;
    yield;
  }
  return wanted === 0 ? 1 : found / (wanted * kind.length);
}
