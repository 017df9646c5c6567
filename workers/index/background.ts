import type { IndexCatalogue } from '../corpus-index/catalogue.ts';
import type { FoldGate } from '../corpus-index/gate.ts';

export interface BackgroundWork {
  /** To await between two folded events: undefined where nothing was done that could have kept others waiting. */
  readonly letOthersIn: () => Promise<void> | undefined;
  stop(): void;
}

const lookMs = 50;

/**
 * Does what indexes have left to do (catching up with a graph, compacting, and when that is done measuring recall) while
 * nothing else is, one insertion or some milliseconds at a time: in between the event loop turns, so a search never waits
 * for more than one.
 */
export function startBackgroundWork(catalogue: IndexCatalogue, gate: FoldGate, recallTarget: number): BackgroundWork {
  let stopped = false;
  let inserted = 0;

  const insertions = () => {
    let sum = 0;
    for (const { index } of catalogue.all()) sum += index.insertions();
    return sum;
  };
  const work = () => {
    if (stopped) return;
    const closed = gate.closed();
    if (closed !== undefined) {
      void closed.then(work);
      return;
    }
    let more = false;
    for (const { index } of catalogue.all()) {
      more = index.step();
      if (more) break;
    }
    if (!more) for (const { index } of catalogue.all()) more ||= index.tune(recallTarget);
    if (more) setImmediate(work);
    else setTimeout(work, lookMs).unref();
  };
  work();

  return {
    letOthersIn: () => {
      const now = insertions();
      if (now === inserted) return undefined;
      inserted = now;
      return new Promise((resolve) => setImmediate(resolve));
    },
    stop: () => {
      stopped = true;
    },
  };
}
