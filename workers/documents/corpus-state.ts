import type { CorpusChange, CorpusDeclaration, CorpusState } from '../../schemas/events/corpus.ts';

/**
 * The state of a corpus as a fold of INGEST: what was declared and dropped, by sequence. Joining is a union, cut to the
 * newest; commutative, associative and idempotent, as that of documents is.
 */

/** What is kept of a corpus' history, beside its newest drop: enough for every index of the past that is likely asked. */
const saidMax = 64;

type Saying = CorpusState['said'][number];

export function spokenCorpus(change: CorpusChange, corpus: string, sequence: number): CorpusState {
  return { corpus, said: [{ version: sequence, declared: 'declared' in change ? change.declared : null }] };
}

/** Joins what is known of a corpus with what was spoken. Undefined where that adds nothing. */
export function joinCorpusStates(known: CorpusState | undefined, spoken: CorpusState): CorpusState | undefined {
  if (known === undefined) return spoken;
  const byVersion = new Map<number, Saying>();
  for (const saying of [...spoken.said, ...known.said]) byVersion.set(saying.version, saying);
  const said = cut([...byVersion.values()].sort((one, other) => one.version - other.version));
  const unchanged =
    said.length === known.said.length && said.every(({ version }, place) => version === known.said[place]?.version);
  return unchanged ? undefined : { corpus: known.corpus, said };
}

function cut(said: readonly Saying[]): Saying[] {
  const newest = said.slice(-saidMax);
  const drop = said.findLast(({ declared }) => declared === null);
  return drop === undefined || newest.includes(drop) ? newest : [drop, ...newest];
}

/** The sequence of the newest drop: nothing that stands before it lives. 0 where there was none. */
export function dropFloor(state: CorpusState | undefined): number {
  return state?.said.findLast(({ declared }) => declared === null)?.version ?? 0;
}

/** What the corpus is declared to be now; undefined where it was never declared, or dropped since. */
export function declarationOf(state: CorpusState | undefined): CorpusDeclaration | undefined {
  return state?.said.at(-1)?.declared ?? undefined;
}

/** Whether something that was said of the corpus is known here: at least as new as `version`. */
export function knowsOf(state: CorpusState | undefined, version: number): boolean {
  return (state?.said.at(-1)?.version ?? 0) >= version;
}

/** The state as it was behind sequence `version`; undefined where nothing had been said. */
export function corpusAsOf(state: CorpusState, version: number): CorpusState | undefined {
  const said = state.said.filter((saying) => saying.version <= version);
  return said.length === 0 ? undefined : { corpus: state.corpus, said };
}
