import { ProblemError } from '../../schemas/problems.ts';
import type { RetrievalMode } from '../../schemas/requests/explain.ts';
import type { SearchRequest } from '../../schemas/requests/matrix.ts';
import { type IndexCatalogue, indexesToSearch } from '../corpus-index/catalogue.ts';
import type { LexicalIndex } from '../lexical/lexical-index.ts';
import { rank } from '../matrix/rank.ts';
import { compileFilter } from '../metadata-filter/metadata-filter.ts';
import { chooseRetrieval, refuseWithoutWords } from '../retrieval/choose-retrieval.ts';
import { givenVector } from '../retrieval/given-vector.ts';
import { type HybridParameters, retrieve } from '../retrieval/retrieve.ts';
import type { Answer } from './compare.ts';
import { type Policy, underPolicy } from './policy.ts';

/** A state of the system, in memory, without graphs: every search of it is exact. */
export interface State {
  readonly catalogue: IndexCatalogue;
  /** By corpus and the space that answers for it; empty where nobody asks by words. */
  readonly words: ReadonlyMap<string, LexicalIndex>;
}

export interface Side {
  readonly state: State;
  readonly policy: Policy;
}

/** How a system is configured that answers searches. */
export interface AskOptions {
  readonly retrieval: RetrievalMode;
  readonly hybrid: HybridParameters;
}

/** The text that has to be embedded for a side, and in which space; undefined where none has to be, or no answer comes. */
export function textToEmbed(
  logged: SearchRequest,
  { state, policy }: Side,
  { retrieval }: AskOptions,
): { space: string; text: string } | undefined {
  const wanted = underPolicy(logged, policy);
  if (wanted.query_vector !== undefined || wanted.query_text === undefined) return undefined;
  try {
    const { space } = indexesToSearch(state.catalogue, wanted.corpora, null);
    return chooseRetrieval(wanted, retrieval).needsVector ? { space, text: wanted.query_text } : undefined;
  } catch (error) {
    if (error instanceof ProblemError) return undefined;
    throw error;
  }
}

/**
 * A logged search asked of one side, by the code that answers live searches. What would be a problem to a caller is one here.
 * @param vectorOf the vector of a text in a space, where it could be embedded
 */
export function ask(
  logged: SearchRequest,
  side: Side,
  options: AskOptions,
  vectorOf: (space: string, text: string) => Float32Array | undefined,
): Answer {
  try {
    return answer(underPolicy(logged, side.policy), side, options, vectorOf);
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    return { problem: error.problem.code, results: [], boosted: 0, injected: 0 };
  }
}

function answer(
  wanted: SearchRequest,
  { state, policy }: Side,
  { retrieval, hybrid }: AskOptions,
  vectorOf: (space: string, text: string) => Float32Array | undefined,
): Answer {
  const { catalogue } = state;
  const { space, entries } = indexesToSearch(catalogue, wanted.corpora, null);
  const choice = chooseRetrieval(wanted, retrieval);
  const filter = wanted.metadata_filter === undefined ? undefined : compileFilter(wanted.metadata_filter);
  const words = wordsOf(state, entries);
  const mode = refuseWithoutWords(choice, entries, words);
  const vector = choice.needsVector ? vectorFor(wanted, space, vectorOf) : undefined;
  const { without: withoutPlaybooks } = policy;
  const input = retrieve({ wanted, filter, mode, vector, space, entries, words, hybrid, catalogue, withoutPlaybooks });
  const { results, boosted, injected } = rank({ ...input, boostStrength: policy.boostStrength });
  return {
    problem: null,
    results: results.map(({ id, corpus, distance }) => ({ id, corpus, distance })),
    boosted,
    injected,
  };
}

function wordsOf({ words }: State, entries: readonly { corpus: string; space: string }[]) {
  const found = new Map<string, LexicalIndex>();
  for (const { corpus, space } of entries) {
    const index = words.get(wordsKey(corpus, space));
    if (index !== undefined) found.set(corpus, index);
  }
  return found;
}

export function wordsKey(corpus: string, space: string): string {
  return `${space} ${corpus}`;
}

function vectorFor(
  { query_vector: given, query_text: text = '' }: SearchRequest,
  space: string,
  vectorOf: (space: string, text: string) => Float32Array | undefined,
): Float32Array {
  if (given !== undefined) return givenVector(given, space);
  const vector = vectorOf(space, text);
  if (vector === undefined) throw new ProblemError('text_refused', 'the embedder refused the query');
  return vector;
}
