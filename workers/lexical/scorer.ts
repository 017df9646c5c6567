import type { InvertedFile } from './inverted-file.ts';
import { bm25 } from './limits.ts';
import { tokenize } from './tokenize.ts';

/** What a corpus holds, for the means of the formula. */
export interface CorpusSize {
  readonly documents: number;
  readonly tokens: number;
}

/** The scores of one query by document number, until the next one is scored. */
export interface QueryScores {
  /** The documents that have a word of the query. */
  readonly found: Int32Array;
  /** The most that a document could score. */
  readonly most: number;
  of(number: number): number;
}

/** Scores queries, one at a time, in arrays that are kept for the next. See `LexicalIndex.score` for the formula. */
export function createScorer(file: InvertedFile): (query: string, size: CorpusSize) => QueryScores {
  let scores = new Float64Array(0);
  let found = new Int32Array(0);
  let foundCount = 0;
  let numbersOfWord = new Int32Array(0);
  let frequenciesOfWord = new Int32Array(0);

  const clear = () => {
    foundCount = 0;
    if (scores.length >= file.room) {
      scores.fill(0, 0, file.room);
      return;
    }
    const room = Math.ceil(file.room * 1.25);
    scores = new Float64Array(room);
    found = new Int32Array(room);
    numbersOfWord = new Int32Array(room);
    frequenciesOfWord = new Int32Array(room);
  };
  /** Adds the scores of one word, and returns the most that it can add. */
  const addWord = (word: string, { documents, tokens }: CorpusSize): number => {
    const having = file.read(word, numbersOfWord, frequenciesOfWord);
    const { k1, b } = bm25;
    const weight = Math.log(1 + (documents - having + 0.5) / (having + 0.5)) * (k1 + 1);
    const perToken = (k1 * b * documents) / Math.max(1, tokens);
    for (let place = 0; place < having; place++) {
      const number = numbersOfWord[place] ?? 0;
      const frequency = frequenciesOfWord[place] ?? 0;
      const before = scores[number] ?? 0;
      if (before === 0) found[foundCount++] = number;
      const norm = k1 * (1 - b) + perToken * file.numbering.lengthOf(number);
      scores[number] = before + (weight * frequency) / (frequency + norm);
    }
    return weight;
  };

  return (query, size) => {
    clear();
    let most = 0;
    for (const word of new Set(tokenize(query))) most += addWord(word, size);
    return { found: found.subarray(0, foundCount), most, of: (number) => scores[number] ?? 0 };
  };
}
