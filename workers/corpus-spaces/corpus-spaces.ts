import type { CorpusSpaceData } from '../../schemas/events/corpus-space.ts';

export interface CorpusSpace {
  readonly corpus: string;
  readonly space: string;
}

/** What spaces are to corpora: the fold of INDEXES, in the order of the stream. */
export interface CorpusSpaces {
  note(data: CorpusSpaceData): void;
  /** The space that a corpus was told to answer in; undefined where it was told none. */
  serving(corpus: string): string | undefined;
  isHeld(corpus: string, space: string): boolean;
  isDropped(corpus: string, space: string): boolean;
  /** What is held beside the spaces that documents name themselves. */
  held(): CorpusSpace[];
  /** What was dropped and is not held again. */
  dropped(): CorpusSpace[];
  /** What was dropped and is held again: what lies on VECTORS from before counts again. */
  heldAgain(): CorpusSpace[];
}

interface Known {
  state: 'held' | 'dropped';
  /** Whether it was dropped at some time. */
  wasDropped: boolean;
}

export function createCorpusSpaces(): CorpusSpaces {
  const corpora = new Map<string, { serving: string | undefined; spaces: Map<string, Known> }>();
  const known = (corpus: string, space: string) => corpora.get(corpus)?.spaces.get(space);
  const select = (wanted: (one: Known) => boolean): CorpusSpace[] =>
    [...corpora].flatMap(([corpus, { spaces }]) =>
      [...spaces].filter(([, one]) => wanted(one)).map(([space]) => ({ corpus, space })),
    );
  return {
    note: ({ corpus, space, state }) => {
      const told = corpora.get(corpus) ?? { serving: undefined, spaces: new Map<string, Known>() };
      corpora.set(corpus, told);
      const dropped = state === 'dropped';
      const before = told.spaces.get(space);
      told.spaces.set(space, {
        state: dropped ? 'dropped' : 'held',
        wasDropped: dropped || before?.wasDropped === true,
      });
      if (state === 'serving') told.serving = space;
      else if (dropped && told.serving === space) told.serving = undefined;
    },
    serving: (corpus) => corpora.get(corpus)?.serving,
    isHeld: (corpus, space) => known(corpus, space)?.state === 'held',
    isDropped: (corpus, space) => known(corpus, space)?.state === 'dropped',
    held: () => select(({ state }) => state === 'held'),
    dropped: () => select(({ state }) => state === 'dropped'),
    heldAgain: () => select(({ state, wasDropped }) => state === 'held' && wasDropped),
  };
}
