import type { CorpusState } from '../../schemas/events/corpus.ts';
import { ProblemError } from '../../schemas/problems.ts';
import { declarationOf, joinCorpusStates } from '../documents/corpus-state.ts';
import type { CorpusIndex } from './corpus-index.ts';

export type IndexKind = 'documents' | 'playbooks';

/** One index: a corpus in one space, or the playbooks of a playbook corpus in one space. */
export interface IndexEntry {
  readonly kind: IndexKind;
  readonly corpus: string;
  readonly space: string;
  /** Null for the index that follows the log; else the name of an index of the past. */
  readonly side: string | null;
  readonly index: CorpusIndex;
}

export type IndexName = Omit<IndexEntry, 'index'>;

/** The indexes that one process holds, found by what they are of. */
export interface IndexCatalogue {
  get(name: IndexName): CorpusIndex | undefined;
  /** Puts an index in its place; one that was there goes. */
  set(entry: IndexEntry): void;
  remove(name: IndexName): void;
  all(): IterableIterator<IndexEntry>;
  /** The indexes of one corpus, a space each. */
  ofCorpus(kind: IndexKind, corpus: string, side: string | null): readonly IndexEntry[];
  /** What was said of a corpus as such, so far as it was folded. */
  corpusState(corpus: string): CorpusState | undefined;
  corpusStates(): IterableIterator<CorpusState>;
  /** Joins what was said of a corpus. */
  sayCorpus(state: CorpusState): void;
  /**
   * The index that answers for a corpus: the one in the space that the corpus was told to answer in where that has
   * documents, else the one in the space that it is declared in where that has, else the one in the configured space where
   * that has, else the one with the most (of equal ones the declared one, then the first by name).
   */
  serving(corpus: string, side: string | null): IndexEntry | undefined;
}

const groupKey = (kind: IndexKind, corpus: string, side: string | null) => `${kind} ${side ?? ''} ${corpus}`;

/** @param toldSpace the space that a corpus was told to answer in */
export function createIndexCatalogue(
  configuredSpace: string,
  toldSpace: (corpus: string) => string | undefined = () => undefined,
): IndexCatalogue {
  const groups = new Map<string, IndexEntry[]>();
  const corpora = new Map<string, CorpusState>();
  const groupOf = ({ kind, corpus, side }: IndexName) => groups.get(groupKey(kind, corpus, side)) ?? [];
  const remove = (name: IndexName) => {
    const rest = groupOf(name).filter((entry) => entry.space !== name.space);
    if (rest.length === 0) groups.delete(groupKey(name.kind, name.corpus, name.side));
    else groups.set(groupKey(name.kind, name.corpus, name.side), rest);
  };
  return {
    get: (name) => groupOf(name).find((entry) => entry.space === name.space)?.index,
    set: (entry) => {
      remove(entry);
      const grown = [...groupOf(entry), entry].sort((one, other) => (one.space < other.space ? -1 : 1));
      groups.set(groupKey(entry.kind, entry.corpus, entry.side), grown);
    },
    remove,
    all: function* () {
      for (const group of groups.values()) yield* group;
    },
    ofCorpus: (kind, corpus, side) => groups.get(groupKey(kind, corpus, side)) ?? [],
    corpusState: (corpus) => corpora.get(corpus),
    corpusStates: () => corpora.values(),
    sayCorpus: (state) => {
      const joined = joinCorpusStates(corpora.get(state.corpus), state);
      if (joined !== undefined) corpora.set(state.corpus, joined);
    },
    serving: (corpus, side) => {
      const declared = side === null ? declarationOf(corpora.get(corpus))?.space : undefined;
      let best: IndexEntry | undefined;
      const group = groups.get(groupKey('documents', corpus, side)) ?? [];
      const space = toldSpace(corpus);
      const told = space === undefined ? undefined : group.find((entry) => entry.space === space);
      if (told !== undefined && told.index.size > 0) return told;
      let bestSize = -1;
      for (const entry of group) {
        const { size } = entry.index;
        if (entry.space === declared && size > 0) return entry;
        // Ahead of all that have any, behind those that come first by right.
        const counted = entry.space === configuredSpace && size > 0 ? Number.POSITIVE_INFINITY : size;
        if (counted < bestSize || (counted === bestSize && entry.space !== declared)) continue;
        best = entry;
        bestSize = counted;
      }
      return best;
    },
  };
}

/**
 * The indexes that a search asks, all of one space.
 * @throws ProblemError `corpus_not_found` for a corpus that is not there, `mixed_spaces` where they can not be compared
 */
export function indexesToSearch(
  catalogue: IndexCatalogue,
  corpora: readonly string[],
  side: string | null,
): { space: string; entries: IndexEntry[] } {
  const entries = corpora.map((corpus) => {
    const entry = catalogue.serving(corpus, side);
    if (entry !== undefined) return entry;
    const where = side === null ? '' : ` in the side index "${side}"`;
    throw new ProblemError(
      'corpus_not_found',
      `there is no corpus "${corpus}"${where}; ingest a document into it first`,
      {
        corpus,
      },
    );
  });
  const space = entries[0]?.space ?? '';
  const other = entries.find((entry) => entry.space !== space);
  if (other !== undefined)
    throw new ProblemError(
      'mixed_spaces',
      `"${entries[0]?.corpus}" is in ${space} and "${other.corpus}" in ${other.space}: their distances do not compare`,
    );
  return { space, entries };
}
