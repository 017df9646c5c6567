import type { Matching } from './filter/matching.ts';
import { type Query, readyQuery } from './metric.ts';
import { efFor, type Hit, type SearchContext, scan, scanLabels, toHits } from './search.ts';

/** Which documents may be found. */
export interface Selection {
  /** Living documents that a filter admits; undefined where there is no filter. */
  readonly matching: Matching | undefined;
  /** Slots of living documents that are left out. */
  readonly excluded: ReadonlySet<number>;
}

export interface Found {
  readonly hits: Hit[];
  /** Documents that were looked at and that the filter refused. */
  readonly refused: number;
}

export interface SelectedOptions {
  readonly ef?: number;
  readonly exact?: boolean;
}

/** Candidates that are asked of the graph before the scan takes over. */
const graphCandidatesMax = 2_048;
const escalation = 2;

/**
 * The `k` nearest documents of a selection, by ascending distance, ties by id: k of them whenever so many there are. Where
 * a filter admits few, those are scanned, exactly. Where it admits many, the graph is asked for as many candidates as
 * should hold k of them, then for more; the scan of those that match takes over where that does not suffice.
 */
export function searchSelected(
  asked: ArrayLike<number> | Query,
  k: number,
  selection: Selection,
  options: SelectedOptions,
  context: SearchContext,
): Found {
  const query = readyQuery(asked, context.dimension, context.distance);
  const { matching, excluded } = selection;
  const leftOut = matching === undefined ? excluded.size : countWhere(excluded, matching.has);
  const available = (matching?.count ?? context.live) - leftOut;
  const wanted = Math.min(k, available);
  if (wanted > 0 && options.exact !== true) {
    const walked = walkGraph(query, wanted, leftOut, selection, options, context);
    if (walked !== undefined) return walked;
  }
  const refused = matching === undefined ? 0 : context.live - matching.count;
  if (wanted <= 0) return { hits: [], refused };
  return { hits: toHits(scanSelected(query, wanted, selection, context), wanted, query, context), refused };
}

function countWhere(slots: ReadonlySet<number>, holds: (slot: number) => boolean): number {
  let count = 0;
  for (const slot of slots) if (holds(slot)) count++;
  return count;
}

function scanSelected(
  query: Query,
  wanted: number,
  { matching, excluded }: Selection,
  context: SearchContext,
): number[] {
  const { generation } = context;
  if (matching === undefined) {
    const accept = (label: number) => !excluded.has(generation.slotOf(label));
    const codes = generation.codes();
    // Of so many more than are left out, enough stay.
    if (codes !== undefined) return codes.candidates(query.coded(), wanted + excluded.size).filter(accept);
    return scan(query, wanted, 0, (slot) => !excluded.has(slot), context);
  }
  const slots = matching.slots();
  if (labels.length < slots.length) labels = new Int32Array(Math.ceil(slots.length * 1.25));
  let count = 0;
  for (let place = 0; place < slots.length; place++) {
    const slot = slots[place] ?? 0;
    if (excluded.size === 0 || !excluded.has(slot)) labels[count++] = generation.labelOf(slot);
  }
  return scanLabels(query, wanted, labels.subarray(0, count), context);
}

/** Used by one search at a time, and again by the next. */
let labels = new Int32Array(0);

/** Undefined where the graph is not the way to find them, or did not lead to enough. */
function walkGraph(
  query: Query,
  wanted: number,
  leftOut: number,
  { matching, excluded }: Selection,
  options: SelectedOptions,
  context: SearchContext,
): Found | undefined {
  const { generation, distance, live, parameters } = context;
  const { graph } = generation;
  if (graph === undefined) return undefined;
  // Squares of such values overflow float32 inside the graph.
  if (distance === 'euclidean' && generation.unscannable.size > 0) return undefined;
  const ef = options.ef ?? parameters.ef;
  const matches = matching?.count ?? live;
  const share = (matches / live) * (live / generation.arena.count);
  const most = Math.min(graphCandidatesMax, graph.count * parameters.graphPartMax);
  // With two deviations to spare, as if matches were strewn evenly.
  const first = Math.ceil((wanted + 2 * Math.sqrt(wanted)) / share) + leftOut;
  if (matches < parameters.scannedPerCandidate * efFor(ef, first)) return undefined;
  for (let fetch = first; fetch <= most; fetch *= escalation) {
    const labels = graph.search(query.scanned, fetch, efFor(ef, fetch));
    // Fewer than asked: the walk ended in a part of the graph that nothing leads out of.
    if (labels.length < fetch) return undefined;
    let refused = 0;
    const accept = (slot: number): boolean => {
      if (matching !== undefined && !matching.has(slot)) refused++;
      else return !excluded.has(slot);
      return false;
    };
    const found = labels.flatMap(generation.twins.groupOf).filter((label) => {
      const slot = generation.slotOf(label);
      return slot >= 0 && accept(slot);
    });
    if (found.length < wanted) continue;
    const tail = scan(query, wanted, generation.watermark, accept, context);
    return { hits: toHits([...found, ...tail], wanted, query, context), refused };
  }
  return undefined;
}
