import { bestOf } from './best-of.ts';
import { createInvertedFile } from './inverted-file.ts';
import { defaultUpkeep, type Upkeep } from './limits.ts';
import { createScorer } from './scorer.ts';
import { tokenize } from './tokenize.ts';

/** What one version of a document says; null: nothing, since it is deleted or has no text. */
export interface LexicalDocument {
  readonly id: string;
  readonly version: number;
  readonly text: string | null;
}

export interface LexicalHit {
  readonly id: string;
  readonly score: number;
}

/** The scores of one query. Valid until the index is written to or asked again. */
export interface LexicalScores {
  /** The best that are accepted, best first, ties by id. Only such as can be among them are asked about. */
  best(k: number, accept?: (id: string) => boolean): LexicalHit[];
  /** 0 for what has none of the words. */
  of(id: string): number;
}

export interface LexicalStats {
  /** Documents that have text. */
  readonly documents: number;
  readonly words: number;
  readonly bytes: number;
}

/**
 * The words of one corpus, ranked by BM25. A fold: of the versions of a document the highest counts, in whatever order
 * they come, so that the tail of a log and its history may come at once.
 */
export interface LexicalIndex {
  /** Returns false where the version is not news. */
  apply(document: LexicalDocument): boolean;
  /**
   * Scores every document that has a word of the query:
   *
   *     score = sum over the query's words of idf * tf * (k1 + 1) / (tf + k1 * (1 - b + b * length / mean length))
   *     idf   = ln(1 + (N - n + 0.5) / (n + 0.5)),  N documents, n of them with the word
   *
   * over the most that a document could have, `sum of idf * (k1 + 1)` over the same words (those too that no document has):
   * 0 to 1, and to be compared between queries. Repetitions in the query count once.
   */
  score(query: string): LexicalScores;
  stats(): LexicalStats;
}

export function createLexicalIndex(upkeep: Partial<Upkeep> = {}): LexicalIndex {
  const file = createInvertedFile({ ...defaultUpkeep, ...upkeep });
  const score = createScorer(file);
  const slots = new Map<string, number>();
  const ids: string[] = [];
  // By slot: the version that counts, and the number that postings name it by (-1: it has no text).
  const versions: number[] = [];
  const numbers: number[] = [];
  let documents = 0;
  let tokens = 0;

  const slotOf = (id: string): number => {
    const known = slots.get(id);
    if (known !== undefined) return known;
    const slot = ids.push(id) - 1;
    slots.set(id, slot);
    versions.push(0);
    numbers.push(-1);
    return slot;
  };
  const takeOut = (slot: number) => {
    const number = numbers[slot] ?? -1;
    if (number < 0) return;
    documents--;
    tokens -= file.numbering.lengthOf(number);
    file.numbering.kill(number);
    numbers[slot] = -1;
  };
  const putIn = (slot: number, text: string) => {
    const words = tokenize(text);
    numbers[slot] = file.add(slot, words.length, frequenciesOf(words));
    documents++;
    tokens += words.length;
  };

  return {
    apply: ({ id, version, text }) => {
      const slot = slotOf(id);
      if (version <= (versions[slot] ?? 0)) return false;
      versions[slot] = version;
      takeOut(slot);
      if (text !== null) putIn(slot, text);
      file.work((renumbered, number) => {
        numbers[renumbered] = number;
      });
      return true;
    },
    score: (query) => {
      const scores = score(query, { documents, tokens });
      const idOf = (number: number) => ids[file.numbering.slotOf(number)] ?? '';
      return {
        best: (k, accept = () => true) =>
          bestOf(scores.found, k, { scoreOf: scores.of, idOf, accept }).map((hit) => ({
            id: hit.id,
            score: hit.score / scores.most,
          })),
        of: (id) => {
          const number = numbers[slots.get(id) ?? -1] ?? -1;
          return number < 0 || scores.most === 0 ? 0 : scores.of(number) / scores.most;
        },
      };
    },
    stats: () => ({ documents, words: file.words, bytes: file.bytes + ids.length * bytesPerId }),
  };
}

/** An id, its place in the map, its version and its numbers, about. */
const bytesPerId = 96;

function frequenciesOf(tokens: readonly string[]): Map<string, number> {
  const frequencies = new Map<string, number>();
  for (const token of tokens) frequencies.set(token, (frequencies.get(token) ?? 0) + 1);
  return frequencies;
}
