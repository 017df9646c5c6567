import { LRUCache } from 'lru-cache';
import type { SearchData } from '../../../schemas/events/search-log.ts';

/** Playbooks whose lifts are counted; the one that lifted longest ago is forgotten first. */
const playbooksCountedMax = 100_000;

export interface LiftCount {
  readonly boosted: number;
  readonly injected: number;
}

/** What playbooks have lifted, as a fold of SEARCHES from wherever that began. */
export interface LiftCounts {
  note(data: SearchData): void;
  of(corpus: string, playbookId: string): LiftCount;
  /** When the first search was answered that is counted here; null where there is none. */
  since(): string | null;
}

const nothing: LiftCount = { boosted: 0, injected: 0 };

export function createLiftCounts(): LiftCounts {
  const counts = new LRUCache<string, LiftCount>({ max: playbooksCountedMax });
  const keyOf = (corpus: string, playbookId: string) => `${corpus} ${playbookId}`;
  let since: string | null = null;
  return {
    note: ({ searches }) => {
      for (const { searched_at, lifts = [] } of searches) {
        since ??= searched_at;
        for (const { corpus, playbook_id, kind } of lifts) {
          const key = keyOf(corpus, playbook_id);
          const known = counts.get(key) ?? nothing;
          counts.set(key, { ...known, [kind]: known[kind] + 1 });
        }
      }
    },
    of: (corpus, playbookId) => counts.get(keyOf(corpus, playbookId)) ?? nothing,
    since: () => since,
  };
}
