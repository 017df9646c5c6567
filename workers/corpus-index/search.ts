import type { Generation } from './generation.ts';
import { exactDistance, type Query, readyQuery, scannableNormMax, scoreError } from './metric.ts';
import type { Distance, IndexParameters } from './parameters.ts';
import { thresholdOf } from './selection.ts';

export interface Hit {
  readonly id: string;
  /** Cosine: 1 - cos, 0 to 2. Euclidean: the root of the summed squares. */
  readonly distance: number;
  /** The document's place in the index, for `metadataJson`. */
  readonly slot: number;
}

export interface SearchOptions {
  /** Which documents may be found. Asked of candidates only, nearest first by and large, once each. */
  readonly accept?: (slot: number) => boolean;
  /** Candidates kept while the graph is searched. */
  readonly ef?: number;
  /** Scan all vectors instead of walking the graph. */
  readonly exact?: boolean;
}

export interface SearchContext {
  readonly generation: Generation;
  readonly dimension: number;
  readonly distance: Distance;
  readonly parameters: IndexParameters;
  /** Living documents. */
  readonly live: number;
  readonly idOf: (slot: number) => string;
}

/** Candidates that are asked of the graph before the scan takes over. */
const graphCandidatesMax = 1_024;
const escalation = 4;

/**
 * The `k` nearest documents that are accepted, by ascending distance, ties by id: k of them whenever so many there are.
 * The graph is asked for more where dead or refused candidates left fewer, and the scan takes over where that would
 * visit a good part of it anyway.
 */
export function searchGeneration(
  asked: ArrayLike<number> | Query,
  k: number,
  options: SearchOptions,
  context: SearchContext,
): Hit[] {
  const { generation, dimension, distance } = context;
  const query = readyQuery(asked, dimension, distance);
  const wanted = Math.min(k, context.live);
  if (wanted <= 0) return [];
  const codes = options.exact === true || options.accept !== undefined ? undefined : generation.codes();
  if (codes !== undefined) return toHits(codes.candidates(query.coded(), wanted), wanted, query, context);
  const accept = rememberAnswers(options.accept);
  const fromGraph = options.exact === true ? undefined : searchGraph(query, wanted, accept, options, context);
  if (fromGraph === undefined) return toHits(scan(query, wanted, 0, accept, context), wanted, query, context);
  const tail = scan(query, wanted, generation.watermark, accept, context);
  return toHits([...fromGraph, ...tail], wanted, query, context);
}

/**
 * Candidates to keep for `fetch` answers, where `ef` was measured for ten: the last of many are missed more often than the
 * last of ten.
 */
export function efFor(ef: number, fetch: number): number {
  return Math.max(ef, Math.min(Math.ceil((fetch * ef) / 10), 2 * fetch + ef));
}

/** Each document is asked about once, however often the search widens. */
function rememberAnswers(accept: ((slot: number) => boolean) | undefined): (slot: number) => boolean {
  if (accept === undefined) return () => true;
  const answers = new Map<number, boolean>();
  return (slot) => {
    let answer = answers.get(slot);
    if (answer === undefined) {
      answer = accept(slot);
      answers.set(slot, answer);
    }
    return answer;
  };
}

/** Living and accepted labels from the graph, at least `wanted`; undefined where the graph is not the way to find them. */
function searchGraph(
  query: Query,
  wanted: number,
  accept: (slot: number) => boolean,
  options: SearchOptions,
  { generation, distance, parameters: { ef, graphPartMax } }: SearchContext,
): number[] | undefined {
  const { graph } = generation;
  if (graph === undefined) return undefined;
  // Squares of such values overflow float32 inside the graph.
  if (distance === 'euclidean' && generation.unscannable.size > 0) return undefined;
  const most = Math.min(graphCandidatesMax, graph.count * graphPartMax);
  const spare = options.accept !== undefined ? 3 * wanted : generation.dead > 0 ? wanted >> 1 : 0;
  for (let fetch = wanted + spare; fetch <= most; fetch *= escalation) {
    const labels = graph.search(query.scanned, fetch, efFor(options.ef ?? ef, fetch));
    // Fewer than asked: the walk ended in a part of the graph that nothing leads out of.
    if (labels.length < fetch) return undefined;
    const found = labels.flatMap(generation.twins.groupOf).filter((label) => {
      const slot = generation.slotOf(label);
      return slot >= 0 && accept(slot);
    });
    if (found.length >= wanted) return found;
  }
  return undefined;
}

let scratch = new Float32Array(0);

function scratchOf(length: number): Float32Array {
  if (scratch.length < length) scratch = new Float32Array(Math.ceil(length * 1.25));
  return scratch;
}

/**
 * The `wanted` nearest of these living labels, and some that are about as near: chosen by float32 scores as in `scan`.
 */
export function scanLabels(query: Query, wanted: number, labels: Int32Array, context: SearchContext): number[] {
  const { generation, dimension, distance } = context;
  const { arena, unscannable } = generation;
  const scores = scratchOf(labels.length);
  arena.scanLabels(distance === 'cosine' ? 'dots' : 'squares', query.scanned, labels, scores);
  const allExact = distance !== 'cosine' && query.norm > scannableNormMax;
  const anyExact = allExact || unscannable.size > 0;
  for (let place = 0; place < labels.length; place++) {
    const label = labels[place] ?? 0;
    if (anyExact && (allExact || unscannable.has(label))) scores[place] = exactScore(query, label, context);
    else if (distance === 'cosine') scores[place] = 1 - (scores[place] ?? 0) / arena.norm(label);
  }
  const threshold = wanted >= labels.length ? Number.POSITIVE_INFINITY : thresholdOf(scores, labels.length, wanted);
  const margin = marginOf(threshold, dimension, distance);
  const nearest: number[] = [];
  for (let place = 0; place < labels.length; place++)
    if ((scores[place] ?? 0) <= margin) nearest.push(labels[place] ?? 0);
  return nearest;
}

/**
 * Living and accepted labels from `from` on by scanning them all: among them the `wanted` nearest. The scan's float32
 * scores choose, with a margin for their error; the caller ranks what was chosen by exact distance.
 */
export function scan(
  query: Query,
  wanted: number,
  from: number,
  accept: (slot: number) => boolean,
  context: SearchContext,
): number[] {
  const { generation, dimension } = context;
  const { count } = generation.arena;
  const scanned = count - from;
  if (scanned <= 0) return [];
  const scores = scratchOf(scanned);
  score(query, from, count, scores, context);
  for (let want = wanted; ; want *= 8) {
    const threshold = want >= scanned ? Number.POSITIVE_INFINITY : thresholdOf(scores, scanned, want);
    const margin = marginOf(threshold, dimension, context.distance);
    const found: number[] = [];
    let sure = 0;
    for (let place = 0; place < scanned; place++) {
      const value = scores[place] ?? Number.POSITIVE_INFINITY;
      if (value > margin || value === Number.POSITIVE_INFINITY) continue;
      if (!accept(generation.slotOf(from + place))) continue;
      found.push(from + place);
      if (value <= threshold) sure++;
    }
    if (sure >= wanted || threshold === Number.POSITIVE_INFINITY) return found;
  }
}

/** The score up to which a vector may be nearer than one of score `threshold`. */
function marginOf(threshold: number, dimension: number, distance: Distance): number {
  const error = 2 * scoreError(dimension);
  return distance === 'cosine' ? threshold + error : threshold * (1 + error) + 1e-36;
}

/** Approximate distances (cosine) or squared distances of the labels, in `scores`; Infinity for dead ones. */
function score(query: Query, from: number, to: number, scores: Float32Array, context: SearchContext): void {
  const { generation, distance } = context;
  const { arena } = generation;
  const cosine = distance === 'cosine';
  arena.scan(cosine ? 'dots' : 'squares', query.scanned, from, to, scores);
  const allExact = !cosine && query.norm > scannableNormMax;
  for (let label = from; label < to; label++) {
    const place = label - from;
    if (generation.slotOf(label) < 0) scores[place] = Number.POSITIVE_INFINITY;
    else if (allExact) scores[place] = exactScore(query, label, context);
    else if (cosine) scores[place] = 1 - (scores[place] ?? 0) / arena.norm(label);
  }
  for (const label of generation.unscannable)
    if (label >= from && label < to) scores[label - from] = exactScore(query, label, context);
}

const float32Max = 3.4e38;

function exactScore(query: Query, label: number, { generation, distance }: SearchContext): number {
  const { arena } = generation;
  const exact = exactDistance(distance, query, arena, label);
  return distance === 'cosine' ? exact : Math.min(exact * exact, float32Max);
}

/** The `wanted` nearest of these labels, by exact distance. */
export function toHits(labels: readonly number[], wanted: number, query: Query, context: SearchContext): Hit[] {
  const { generation, distance, idOf } = context;
  const { arena, twins } = generation;
  // Of equal vectors, which lie in a graph as one, the distance is worked out once.
  let ofTwins: Map<number, number> | undefined;
  const distanceOf = (label: number): number => {
    const representative = twins.representativeOf(label);
    const known = ofTwins?.get(representative);
    if (known !== undefined) return known;
    const exact = exactDistance(distance, query, arena, label);
    if (representative < 0) return exact;
    ofTwins ??= new Map();
    ofTwins.set(representative, exact);
    return exact;
  };
  const hits = labels.map((label): Hit => {
    const slot = generation.slotOf(label);
    return { id: idOf(slot), distance: distanceOf(label), slot };
  });
  sortHits(hits);
  return hits.slice(0, wanted);
}

/** So few are in order sooner where each is put in its place: the runtime's sort calls back for every comparison. */
const fewHits = 48;

function sortHits(hits: Hit[]): void {
  if (hits.length > fewHits) {
    hits.sort((one, other) => (isBehind(one, other) ? 1 : -1));
    return;
  }
  for (let next = 1; next < hits.length; next++) {
    const hit = hits[next] as Hit;
    let place = next;
    for (; place > 0 && isBehind(hits[place - 1] as Hit, hit); place--) hits[place] = hits[place - 1] as Hit;
    hits[place] = hit;
  }
}

/** By distance, ties by id. */
function isBehind(one: Hit, other: Hit): boolean {
  return one.distance > other.distance || (one.distance === other.distance && one.id > other.id);
}
