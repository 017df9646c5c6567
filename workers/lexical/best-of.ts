export interface Choice {
  readonly scoreOf: (number: number) => number;
  readonly idOf: (number: number) => string;
  readonly accept: (id: string) => boolean;
}

interface Chosen {
  readonly id: string;
  readonly score: number;
}

/** The `k` best of the numbers that are accepted: by descending score, ties by id. A bounded heap, its worst on top. */
export function bestOf(numbers: Int32Array, k: number, { scoreOf, idOf, accept }: Choice): Chosen[] {
  const heap: Chosen[] = [];
  if (k <= 0) return heap;
  for (const number of numbers) {
    const score = scoreOf(number);
    const worst = heap[0];
    const full = heap.length === k;
    if (full && worst !== undefined && score < worst.score) continue;
    const candidate = { id: idOf(number), score };
    if (full && worst !== undefined && !isWorse(worst, candidate)) continue;
    if (!accept(candidate.id)) continue;
    if (full) {
      heap[0] = candidate;
      sink(heap, 0);
    } else {
      heap.push(candidate);
      if (heap.length === k) for (let place = (k >> 1) - 1; place >= 0; place--) sink(heap, place);
    }
  }
  return heap.sort((one, other) => (isWorse(one, other) ? 1 : -1));
}

function isWorse(one: Chosen, other: Chosen): boolean {
  return one.score < other.score || (one.score === other.score && one.id > other.id);
}

function sink(heap: Chosen[], from: number): void {
  const moved = heap[from];
  if (moved === undefined) return;
  let place = from;
  for (;;) {
    let child = 2 * place + 1;
    const left = heap[child];
    if (left === undefined) break;
    const right = heap[child + 1];
    let worse = left;
    if (right !== undefined && isWorse(right, left)) {
      worse = right;
      child++;
    }
    if (!isWorse(worse, moved)) break;
    heap[place] = worse;
    place = child;
  }
  heap[place] = moved;
}
