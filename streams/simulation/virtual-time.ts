import type { Clock } from '../clock.ts';

/** Time that passes only when everything that can be done at a moment is done: a day costs what happens in it. */
export interface VirtualTime {
  /** Milliseconds since the beginning. */
  readonly nowMs: () => number;
  /** Calls back after so many milliseconds, rounded up, unless the returned function is called before. */
  after(milliseconds: number, run: () => void): () => void;
  /** Lets time pass until `isOver`, until `untilMs`, or until nothing is left that could happen. */
  run(isOver: () => boolean, untilMs: number): Promise<'over' | 'time' | 'nothing left'>;
}

interface Happening {
  readonly atMs: number;
  /** Of two at one moment the one that was asked for first comes first. */
  readonly order: number;
  run: (() => void) | undefined;
}

export function createVirtualTime(): VirtualTime {
  const heap: Happening[] = [];
  let nowMs = 0;
  let asked = 0;
  return {
    nowMs: () => nowMs,
    after: (milliseconds, run) => {
      const happening: Happening = { atMs: nowMs + Math.max(0, Math.ceil(milliseconds)), order: asked++, run };
      push(heap, happening);
      return () => {
        happening.run = undefined;
      };
    },
    run: async (isOver, untilMs) => {
      for (;;) {
        // What was begun goes on in microtasks: none is left when the event loop has its turn.
        await new Promise(setImmediate);
        if (isOver()) return 'over';
        let next = pop(heap);
        while (next !== undefined && next.run === undefined) next = pop(heap);
        if (next === undefined) return 'nothing left';
        if (next.atMs > untilMs) {
          push(heap, next);
          return 'time';
        }
        nowMs = next.atMs;
        next.run?.();
        // What happens at one moment happens before anybody has reacted to it.
        while (heap[0]?.atMs === nowMs) pop(heap)?.run?.();
      }
    },
  };
}

const comesBefore = (one: Happening, other: Happening) =>
  one.atMs < other.atMs || (one.atMs === other.atMs && one.order < other.order);

/** A binary heap: the next one to happen is the first. */
function push(heap: Happening[], happening: Happening): void {
  let place = heap.length;
  heap.push(happening);
  while (place > 0) {
    const parent = (place - 1) >> 1;
    const above = heap[parent];
    if (above === undefined || !comesBefore(happening, above)) break;
    heap[place] = above;
    place = parent;
  }
  heap[place] = happening;
}

function pop(heap: Happening[]): Happening | undefined {
  const first = heap[0];
  const last = heap.pop();
  if (first === undefined || last === undefined || first === last) return first;
  let place = 0;
  for (;;) {
    let child = 2 * place + 1;
    const [left, right] = [heap[child], heap[child + 1]];
    let smaller = left;
    if (left !== undefined && right !== undefined && comesBefore(right, left)) {
      smaller = right;
      child++;
    }
    if (smaller === undefined || !comesBefore(smaller, last)) break;
    heap[place] = smaller;
    place = child;
  }
  heap[place] = last;
  return first;
}

export interface VirtualClockOptions {
  /** What the wall clock shows at the beginning, in milliseconds since 1970. */
  readonly startMs: number;
  /** How far the wall clock is off just now. */
  readonly skewMs: () => number;
  /** Whoever has died does not wake up. */
  readonly isDead: () => boolean;
}

/** A clock of one process: its wall clock may be off and jump, its monotonic one never does. */
export function createVirtualClock(time: VirtualTime, { startMs, skewMs, isDead }: VirtualClockOptions): Clock {
  return {
    nowMs: () => startMs + time.nowMs() + skewMs(),
    monotonicMs: () => time.nowMs(),
    sleep: (milliseconds, signal) =>
      new Promise((resolve) => {
        if (isDead()) return;
        if (signal?.aborted) return resolve();
        const wake = () => {
          signal?.removeEventListener('abort', abort);
          if (!isDead()) resolve();
        };
        const cancel = time.after(milliseconds, wake);
        const abort = () => {
          cancel();
          wake();
        };
        signal?.addEventListener('abort', abort, { once: true });
      }),
  };
}
