import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { below, createRandom } from '../../scripts/random.ts';
import { createLexicalIndex, type LexicalDocument, type LexicalIndex } from './lexical-index.ts';
import { naiveBest, naiveScores } from './testing/naive.ts';

const words = ['forklift', 'forklifts', 'operator', 'OSHA-30', 'welder', 'night', 'shift', 'the', '30', 'José'];
const textOf = fc.array(fc.constantFrom(...words), { maxLength: 12 }).map((list) => list.join(' '));
const change = fc.record({
  id: fc.integer({ min: 0, max: 11 }).map((number) => `w-${number}`),
  text: fc.option(textOf, { freq: 4, nil: null }),
});

/** So that a few rewrites are enough for the dead to be taken out, and that takes several steps. */
const eager = { deadFractionMax: 0.1, deadMin: 2, postingsAStep: 3 };

function indexOf(documents: readonly LexicalDocument[]): LexicalIndex {
  const index = createLexicalIndex(eager);
  for (const document of documents) index.apply(document);
  return index;
}

/** The texts that count: of each id that of the highest version. */
function livingTexts(documents: readonly LexicalDocument[]): Map<string, string> {
  const newest = new Map<string, LexicalDocument>();
  for (const document of documents)
    if (document.version > (newest.get(document.id)?.version ?? 0)) newest.set(document.id, document);
  return new Map([...newest.values()].flatMap(({ id, text }) => (text === null ? [] : [[id, text] as const])));
}

function expectSameScores(index: LexicalIndex, texts: ReadonlyMap<string, string>, query: string, k = 5): void {
  const wanted = naiveScores(texts, query);
  const scores = index.score(query);
  for (const id of texts.keys()) expect(scores.of(id)).toBeCloseTo(wanted.get(id) ?? 0, 9);
  const best = scores.best(k);
  expect(best).toHaveLength(Math.min(k, wanted.size));
  for (const { id, score } of best) expect(score).toBeCloseTo(wanted.get(id) ?? -1, 9);
  // Ids that are equally good to the last bits may change places: compared by score.
  const scoresInOrder = naiveBest(wanted, k).map((id) => wanted.get(id) ?? 0);
  for (const [place, { score }] of best.entries()) expect(score).toBeCloseTo(scoresInOrder[place] ?? -1, 9);
}

describe('the scores', () => {
  it('are those of BM25 from scratch, whatever was written, rewritten and deleted before', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 60 }), textOf, (changes, query) => {
        const documents = changes.map((one, at) => ({ ...one, version: at + 1 }));
        expectSameScores(indexOf(documents), livingTexts(documents), query);
      }),
    );
  });

  it('are the same in whatever order versions come, and how often', () => {
    const versioned = fc
      .array(change, { maxLength: 30 })
      .map((list) => list.map((one, at) => ({ ...one, version: at + 1 })));
    const shuffled = versioned.chain((documents) =>
      fc.tuple(
        fc.constant(documents),
        fc.shuffledSubarray([...documents, ...documents], { minLength: documents.length * 2 }),
      ),
    );
    fc.assert(
      fc.property(shuffled, textOf, ([documents, delivered], query) => {
        const index = indexOf(delivered);
        expectSameScores(index, livingTexts(documents), query);
        expect(delivered.some((document) => index.apply(document))).toBe(false);
      }),
    );
  });

  it('stay right while the dead are taken out, through thousands of rewrites', () => {
    const random = createRandom(5, 1);
    const index = createLexicalIndex({ postingsAStep: 500 });
    const texts = new Map<string, string>();
    let most = 0;
    for (let version = 1; version <= 9_000; version++) {
      const id = `w-${below(random, 900)}`;
      const rare = `key${below(random, 3_000)}`;
      const length = below(random, 30);
      const text = [rare, ...Array.from({ length }, () => words[below(random, words.length)] ?? '')].join(' ');
      const dies = below(random, 8) === 0;
      index.apply({ id, version, text: dies ? null : text });
      if (dies) texts.delete(id);
      else texts.set(id, text);
      most = Math.max(most, index.stats().bytes);
      if (version % 500 === 0) expectSameScores(index, texts, `forklift OSHA-30 ${rare}`, 50);
    }
    const { documents, words: known, bytes } = index.stats();
    expect(documents).toBe(texts.size);
    // Words of dead documents are let go of, and so is their room.
    expect(known).toBeLessThan(2_500);
    expect(bytes).toBeLessThan(most + 1);
    expect(most).toBeLessThan(1_000_000);
  });
});

describe('the best', () => {
  const index = indexOf([
    { id: 'b', version: 1, text: 'welder' },
    { id: 'a', version: 2, text: 'welder' },
    { id: 'c', version: 3, text: 'welder welder' },
    { id: 'd', version: 4, text: 'packer' },
  ]);

  it('come best first, ties by id', () => {
    expect(
      index
        .score('welders')
        .best(10)
        .map(({ id }) => id),
    ).toEqual(['c', 'a', 'b']);
    expect(
      index
        .score('welders')
        .best(2)
        .map(({ id }) => id),
    ).toEqual(['c', 'a']);
    expect(index.score('welders').best(0)).toEqual([]);
  });

  it('are only such as are accepted', () => {
    const accepted = index.score('welder').best(1, (id) => id !== 'c');
    expect(accepted.map(({ id }) => id)).toEqual(['a']);
  });

  it('score less than 1, and lower where a word of the query is nowhere', () => {
    const [found] = index.score('packer').best(1);
    const [partly] = index.score('packer zeppelin').best(1);
    expect(found?.score).toBeLessThan(1);
    expect(partly?.score).toBeLessThan(found?.score ?? 0);
  });

  it('are none of a query without words', () => {
    expect(index.score('?! …').best(5)).toEqual([]);
    expect(index.score('').of('a')).toBe(0);
  });
});
