import { ProblemError } from '../../schemas/problems.ts';
import type { RetrievalMode } from '../../schemas/requests/explain.ts';
import type { SearchRequest } from '../../schemas/requests/matrix.ts';
import type { IndexEntry } from '../corpus-index/catalogue.ts';
import type { LexicalIndex } from '../lexical/lexical-index.ts';

export interface RetrievalChoice {
  readonly mode: RetrievalMode;
  /** The request named it. What is merely the default gives way where it can not be done. */
  readonly asked: boolean;
  readonly needsVector: boolean;
}

/**
 * How candidates are to be found: as the request says, else as is configured. Words alone need no vector, unless playbooks
 * are asked, which are found by the distance of their queries.
 * @throws ProblemError `bad_request` for a side index asked by words
 */
export function chooseRetrieval(wanted: SearchRequest, configured: RetrievalMode): RetrievalChoice {
  const asked = wanted.retrieval !== undefined;
  const can = wanted.query_text !== undefined && wanted.index === undefined;
  const mode = wanted.retrieval ?? (can ? configured : 'vector');
  if (mode !== 'vector' && wanted.index !== undefined)
    throw new ProblemError(
      'bad_request',
      `retrieval "${mode}" needs words, and a side index ("${wanted.index}") holds vectors alone; ask it by "vector"`,
      { field: 'retrieval' },
    );
  return { mode, asked, needsVector: mode !== 'lexical' || wanted.use_playbook };
}

/**
 * The mode that can be had: words are of no use where no document of a corpus has text.
 * @throws ProblemError `bad_request` where the request named it all the same
 */
export function refuseWithoutWords(
  { mode, asked, needsVector }: RetrievalChoice,
  entries: readonly IndexEntry[],
  words: ReadonlyMap<string, LexicalIndex>,
): RetrievalMode {
  if (mode === 'vector') return mode;
  const mute = entries.find(({ corpus, index }) => index.size > 0 && words.get(corpus)?.stats().documents === 0);
  if (mute === undefined) return mode;
  if (!asked && needsVector) return 'vector';
  throw new ProblemError(
    'bad_request',
    `the documents of "${mute.corpus}" brought their own vectors and no text, so there are no words to search; ask with ` +
      'retrieval "vector"',
    { field: 'retrieval', corpus: mute.corpus },
  );
}
