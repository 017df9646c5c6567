import { bm25 } from '../limits.ts';
import { tokenize } from '../tokenize.ts';

/** BM25 as it is written, from scratch: the score of each text, over the most that a text could have. */
export function naiveScores(texts: ReadonlyMap<string, string>, query: string): Map<string, number> {
  const tokens = new Map([...texts].map(([id, text]) => [id, tokenize(text)]));
  const documents = tokens.size;
  const meanLength = [...tokens.values()].reduce((sum, { length }) => sum + length, 0) / Math.max(1, documents);
  const { k1, b } = bm25;
  const scores = new Map<string, number>();
  let most = 0;
  for (const word of new Set(tokenize(query))) {
    const having = [...tokens].filter(([, list]) => list.includes(word));
    const idf = Math.log(1 + (documents - having.length + 0.5) / (having.length + 0.5));
    most += idf * (k1 + 1);
    for (const [id, list] of having) {
      const frequency = list.filter((token) => token === word).length;
      const saturation = frequency + k1 * (1 - b + (b * list.length) / meanLength);
      scores.set(id, (scores.get(id) ?? 0) + (idf * frequency * (k1 + 1)) / saturation);
    }
  }
  return new Map([...scores].map(([id, score]) => [id, score / most]));
}

/** The best of them: by descending score, ties by id. */
export function naiveBest(scores: ReadonlyMap<string, number>, k: number): string[] {
  const order = [...scores].sort(([one, high], [other, low]) => low - high || (one < other ? -1 : 1));
  return order.slice(0, k).map(([id]) => id);
}
