/**
 * The `want`-th smallest of the first `count` scores, or Infinity where there are fewer finite ones. A bounded max-heap:
 * most scores cost one comparison.
 */
export function thresholdOf(scores: Float32Array, count: number, want: number): number {
  const heap = new Float32Array(want).fill(Number.POSITIVE_INFINITY);
  let worst = Number.POSITIVE_INFINITY;
  for (let place = 0; place < count; place++) {
    const score = scores[place] ?? Number.POSITIVE_INFINITY;
    if (score >= worst) continue;
    replaceTop(heap, score);
    worst = heap[0] ?? worst;
  }
  return worst;
}

/** Puts a smaller value in the place of the heap's greatest, and sinks it. */
function replaceTop(heap: Float32Array, value: number): void {
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
