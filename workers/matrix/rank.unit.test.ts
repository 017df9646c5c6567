import { describe, expect, test } from 'vitest';
import { compileMetadataFilter } from '../metadata-filter/metadata-filter.ts';
import { formatDistance } from './boost.ts';
import { rank } from './rank.ts';
import { candidate, corpusHits, gates, playbookHit, ranked, rankInput } from './rank-fixtures.ts';

const three = [corpusHits('workers', ['w-1', 0.25], ['w-2', 0.5], ['w-3', 0.75])];

describe('merge', () => {
  test('given two corpora, then results ascend by distance, each with its corpus, and each corpus is counted', () => {
    const ranking = rank(
      rankInput({ perCorpus: [corpusHits('a', ['a-1', 0.3], ['a-2', 0.6]), corpusHits('b', ['b-1', 0.1])], k: 2 }),
    );
    expect(ranking.results.map(({ corpus, id }) => [corpus, id])).toEqual([
      ['b', 'b-1'],
      ['a', 'a-1'],
    ]);
    expect(ranking.perCorpusCounts).toEqual({ a: 2, b: 1 });
  });

  test('given equal distances, then corpus and then id decide, whatever order retrieval gave', () => {
    const forth = [corpusHits('b', ['x', 0.5]), corpusHits('a', ['y', 0.5], ['x', 0.5])];
    const back = [corpusHits('a', ['x', 0.5], ['y', 0.5]), corpusHits('b', ['x', 0.5])];
    const order = (perCorpus: typeof forth) =>
      rank(rankInput({ perCorpus })).results.map(({ corpus, id }) => corpus + id);
    expect(order(forth)).toEqual(['ax', 'ay', 'bx']);
    expect(order(back)).toEqual(['ax', 'ay', 'bx']);
  });

  test('reference 10.27: a searched corpus that gave nothing is counted as 0, so that it cannot pass for one left out', () => {
    const ranking = rank(rankInput({ perCorpus: [corpusHits('a', ['a-1', 0.3]), corpusHits('__proto__')] }));
    expect(Object.entries(ranking.perCorpusCounts)).toEqual([
      ['a', 1],
      ['__proto__', 0],
    ]);
  });

  test('given k 0 or more than there is, then none or all come back', () => {
    expect(rank(rankInput({ perCorpus: three, k: 0 })).results).toEqual([]);
    expect(rank(rankInput({ perCorpus: three, k: 100 })).results).toHaveLength(3);
  });

  test('the input is left as it was', () => {
    const input = rankInput({
      perCorpus: three,
      playbookHits: [playbookHit('w-3', 0.1), playbookHit('w-9', 0.2)],
      k: 1,
    });
    const before = structuredClone({ perCorpus: input.perCorpus, playbookHits: input.playbookHits });
    rank(input);
    expect({ perCorpus: input.perCorpus, playbookHits: input.playbookHits }).toEqual(before);
  });
});

describe('exclude and filter', () => {
  const labels = ['a near', 'a mid', 'a far', 'b near', 'b mid', 'b far'];
  const labelled = (corpus: string, from: number) =>
    labels.slice(from, from + 3).map((label, position) => candidate(corpus, label, 0.1 * (position + 1), { label }));
  const perCorpus = [
    { corpus: 'a', hits: labelled('a', 0) },
    { corpus: 'b', hits: labelled('b', 3) },
  ];
  const filter = compileMetadataFilter({ label: ['a near', 'b near'] });

  test('given label in {"a near","b near"}, then 2 of 6 are kept and 4 dropped', () => {
    const ranking = rank(rankInput({ perCorpus, filter }));
    expect(ranking.results.map(({ id }) => id)).toEqual(['a near', 'b near']);
    expect(ranking.metadataFilterDropped).toBe(4);
  });

  test('reference 10.32: the filter may leave fewer than k, and the dropped are counted before the cut', () => {
    const ranking = rank(rankInput({ perCorpus, filter, k: 1 }));
    expect(ranking.results).toHaveLength(1);
    expect(ranking.metadataFilterDropped).toBe(4);
  });

  test('an excluded candidate is not counted as dropped by the filter', () => {
    const ranking = rank(rankInput({ perCorpus, filter, excludeIds: new Set(['a mid', 'a near']) }));
    expect(ranking.results.map(({ id }) => id)).toEqual(['b near']);
    expect(ranking.metadataFilterDropped).toBe(3);
  });

  test('given that retrieval filtered, then candidates are not asked again and its count is reported', () => {
    const asked: (string | null)[] = [];
    const recording = (metadataJson: string | null) => {
      asked.push(metadataJson);
      return false;
    };
    const ranking = rank(rankInput({ perCorpus, filter: recording, droppedInRetrieval: 17 }));
    expect(ranking.results).toHaveLength(6);
    expect(ranking.metadataFilterDropped).toBe(17);
    expect(asked).toEqual([]);
  });

  test('reference 10.26: an excluded answer comes back neither by boost nor by inject', () => {
    const ranking = rank(
      rankInput({
        perCorpus: three,
        playbookHits: [playbookHit('w-1', 0), playbookHit('w-9', 0)],
        excludeIds: new Set(['w-1', 'w-9']),
      }),
    );
    expect(ranked(ranking)).toEqual([
      ['w-2', 0.5],
      ['w-3', 0.75],
    ]);
    expect(ranking).toMatchObject({ boosted: 0, injected: 0 });
    expect(gates(ranking)).toEqual([
      ['pb-w-1', 'excluded'],
      ['pb-w-9', 'excluded'],
    ]);
  });

  test('an answer that the filter dropped, or would have, does not come back by inject', () => {
    const ranking = rank(
      rankInput({
        perCorpus,
        filter,
        playbookHits: [playbookHit('a far', 0, { corpus: 'a' }), playbookHit('b new', 0, { corpus: 'b' })],
        lookup: (_corpus, id) => ({ metadataJson: JSON.stringify({ label: id }) }),
      }),
    );
    expect(ranking.results.map(({ id }) => id)).toEqual(['a near', 'b near']);
    expect(ranking).toMatchObject({ boosted: 0, injected: 0, metadataFilterDropped: 4 });
    expect(gates(ranking)).toEqual([
      ['pb-a far', 'filter'],
      ['pb-b new', 'filter'],
    ]);
  });

  test('an answer dropped as retrieved stays out, even if its metadata passes when looked up', () => {
    const ranking = rank(
      rankInput({
        perCorpus,
        filter,
        playbookHits: [playbookHit('a far', 0, { corpus: 'a' })],
        lookup: () => ({ metadataJson: '{"label":"a near"}' }),
      }),
    );
    expect(ranking.injected).toBe(0);
    expect(gates(ranking)).toEqual([['pb-a far', 'filter']]);
  });
});

describe('boost', () => {
  test('given 0.4449 recorded with score 1, then it shows 0.2224, boosted 1, injected 0', () => {
    const perCorpus = [corpusHits('workers', ['w-43', 0.4449])];
    const ranking = rank(rankInput({ perCorpus, playbookHits: [playbookHit('w-43', 0)] }));
    expect(ranking.results.map(({ distance }) => formatDistance(distance))).toEqual(['0.2224']);
    expect(ranking).toMatchObject({ boosted: 1, injected: 0 });
  });

  test('given 0.6566 at rank 3, then 0.3283 puts it at rank 2', () => {
    const perCorpus = [corpusHits('workers', ['w-1', 0.2], ['w-2', 0.4], ['w-3', 0.6566])];
    const ranking = rank(rankInput({ perCorpus, playbookHits: [playbookHit('w-3', 0)] }));
    expect(ranking.results.map(({ id }) => id)).toEqual(['w-1', 'w-3', 'w-2']);
    expect(ranking.results[1]?.distance).toBe(0.3283);
  });

  test('given several playbooks for one answer, then the highest score decides and they do not add up', () => {
    const playbookHits = [
      playbookHit('w-2', 0.1, { score: 0.2, playbookId: 'pb-weak' }),
      playbookHit('w-2', 0.4, { score: 0.8, playbookId: 'pb-strong' }),
    ];
    const ranking = rank(rankInput({ perCorpus: three, playbookHits }));
    expect(ranking.results.find(({ id }) => id === 'w-2')).toEqual({
      id: 'w-2',
      corpus: 'workers',
      distance: 0.5 * 0.6,
      metadataJson: null,
      origin: 'retrieved',
      baseDistance: 0.5,
      factor: 0.6,
      playbookIds: ['pb-strong', 'pb-weak'],
    });
    expect(ranking.boosted).toBe(1);
  });

  test('reference 10.24: the same id in another corpus is not boosted', () => {
    const perCorpus = [corpusHits('workers', ['x', 0.4]), corpusHits('ethereal', ['x', 0.4])];
    const ranking = rank(rankInput({ perCorpus, playbookHits: [playbookHit('x', 0)] }));
    expect(ranking.results.map(({ corpus, distance }) => [corpus, distance])).toEqual([
      ['workers', 0.2],
      ['ethereal', 0.4],
    ]);
    expect(ranking).toMatchObject({ boosted: 1, injected: 0 });
  });

  test('a playbook at the greatest distance acts, one beyond it does not', () => {
    const playbookHits = [playbookHit('w-1', 0.5), playbookHit('w-2', 0.500001)];
    const ranking = rank(rankInput({ perCorpus: three, playbookHits }));
    expect(ranking.boosted).toBe(1);
    expect(ranking.results[0]).toMatchObject({ id: 'w-1', distance: 0.125 });
    expect(gates(ranking)).toEqual([['pb-w-2', 'distance']]);
    expect(rank(rankInput({ perCorpus: three, playbookHits, maxDistance: 0.8 })).boosted).toBe(2);
  });

  test('boosted counts results before the cut to k', () => {
    const playbookHits = [playbookHit('w-1', 0), playbookHit('w-3', 0)];
    const ranking = rank(rankInput({ perCorpus: three, playbookHits, k: 1 }));
    expect(ranking.results).toHaveLength(1);
    expect(ranking.boosted).toBe(2);
  });

  test('score 0 changes and counts nothing, and names the playbook', () => {
    const ranking = rank(rankInput({ perCorpus: three, playbookHits: [playbookHit('w-1', 0, { score: 0 })] }));
    expect(ranking.results[0]).toMatchObject({ id: 'w-1', distance: 0.25, factor: 1, playbookIds: ['pb-w-1'] });
    expect(ranking.boosted).toBe(0);
  });

  test('a result at distance 0 counts as boosted, though nothing can be nearer', () => {
    const perCorpus = [corpusHits('workers', ['w-1', 0])];
    const ranking = rank(rankInput({ perCorpus, playbookHits: [playbookHit('w-1', 0)] }));
    expect(ranking.results[0]).toMatchObject({ distance: 0, factor: 0.5 });
    expect(ranking.boosted).toBe(1);
  });

  test('without use_playbook no playbook is asked', () => {
    const playbookHits = [playbookHit('w-3', 0), playbookHit('w-9', 0), playbookHit('w-8', 0.9)];
    const ranking = rank(rankInput({ perCorpus: three, playbookHits, usePlaybook: false }));
    expect(ranking).toEqual(rank(rankInput({ perCorpus: three })));
  });

  test('reference 10.25: EmptyHits: a cold start answers as without playbooks', () => {
    const cold = rank(rankInput({ perCorpus: three, playbookHits: [] }));
    expect(ranked(cold)).toEqual([
      ['w-1', 0.25],
      ['w-2', 0.5],
      ['w-3', 0.75],
    ]);
    expect(cold).toMatchObject({ boosted: 0, injected: 0, suppressed: [] });
  });
});
