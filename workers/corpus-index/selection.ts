/**
 * The `want`-th smallest of the first `count` scores, or Infinity where there are fewer finite ones. A bounded max-heap:
 * most scores cost one comparison.
 */
export function thresholdOf(scores: Float32Array, count: number, want: number): number {
  const heap = emptyHeap(want);
  let worst = Number.POSITIVE_INFINITY;
  for (let place = 0; place < count; place++) {
    const score = scores[place] ?? Number.POSITIVE_INFINITY;
    if (score >= worst) continue;
    replaceTop(heap, score);
    worst = heap[0] ?? worst;
  }
  return worst;
}

/** Values that are known to lie between `lowest` and `lowest + 2 * error`. A `lowest` of Infinity is nobody's. */
export interface Ranges {
  readonly lowest: Float32Array;
  /** The least of `lowest` of each four places in a row. */
  readonly least: Float32Array;
  readonly errors: Float32Array;
  readonly count: number;
}

/** The places whose value may be among the `want` smallest, where each range may be off by `slack` on both sides. */
export function withinReach({ lowest, least, errors, count }: Ranges, want: number, slack: number): number[] {
  // The smallest upper ends so far: want values lie below the greatest of them.
  const heap = emptyHeap(want);
  let reach = Number.MAX_VALUE;
  const reached: number[] = [];
  for (let group = 0; group * 4 < count; group++) {
    if (at(least, group) > reach) continue;
    const end = Math.min(count, group * 4 + 4);
    for (let place = group * 4; place < end; place++) {
      const low = at(lowest, place);
      if (low > reach) continue;
      reached.push(place);
      const high = low + 2 * at(errors, place);
      if (high >= at(heap, 0)) continue;
      replaceTop(heap, high);
      if (at(heap, 0) !== Number.POSITIVE_INFINITY) reach = at(heap, 0) + 2 * slack;
    }
  }
  let kept = 0;
  for (const place of reached) if (at(lowest, place) <= reach) reached[kept++] = place;
  reached.length = kept;
  return reached;
}

let lastHeap = new Float64Array(0);

/** A heap for one selection: the one of the last, where it is as long. Most searches ask for ten, and nothing is allotted. */
function emptyHeap(size: number): Float64Array {
  if (lastHeap.length !== size) lastHeap = new Float64Array(size);
  return lastHeap.fill(Number.POSITIVE_INFINITY);
}

/** A value that is there: the loops keep within, and asking again would cost as much as they do. */
function at(values: Float32Array | Float64Array, place: number): number {
  return values[place] as number;
}

/** The smallest of the scores that are offered, so many of them. */
export interface BoundedHeap {
  offer(score: number): void;
  /** The greatest of those kept; Infinity while there are fewer. */
  worst(): number;
}

export function createBoundedHeap(size: number): BoundedHeap {
  const heap = new Float32Array(size).fill(Number.POSITIVE_INFINITY);
  return {
    offer: (score) => {
      if (score < (heap[0] ?? 0)) replaceTop(heap, score);
    },
    worst: () => heap[0] ?? Number.POSITIVE_INFINITY,
  };
}

/** Puts a smaller value in the place of the heap's greatest, and sinks it. */
function replaceTop(heap: Float32Array | Float64Array, value: number): void {
  let place = 0;
  for (;;) {
    let child = 2 * place + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && (heap[child + 1] ?? 0) > (heap[child] ?? 0)) child++;
    const below = heap[child] ?? 0;
    if (below <= value) break;
    heap[place] = below;
    place = child;
  }
  heap[place] = value;
}
