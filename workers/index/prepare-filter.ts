import type { IndexEntry } from '../corpus-index/catalogue.ts';
import type { CompiledFilter } from '../metadata-filter/metadata-filter.ts';

/** Gets indexes ready for filters. */
export interface FilterPreparation {
  /** Whether all of these indexes can answer at once. */
  isReady(filter: CompiledFilter, entries: readonly IndexEntry[]): boolean;
  /** Resolves when they can. */
  prepare(filter: CompiledFilter, entries: readonly IndexEntry[]): Promise<void>;
}

/** One filter after the other, a few milliseconds at a time: between two parts the event loop turns. */
export function createFilterPreparation(): FilterPreparation {
  let last = Promise.resolve();
  const isReady = (filter: CompiledFilter, entries: readonly IndexEntry[]) =>
    !entries.some(({ index }) => index.prepareFilter(filter));
  const work = async (filter: CompiledFilter, entries: readonly IndexEntry[]) => {
    while (!isReady(filter, entries)) await new Promise((resolve) => setImmediate(resolve));
  };
  return {
    isReady,
    prepare: (filter, entries) => {
      last = last.then(() => work(filter, entries));
      return last;
    },
  };
}
