import { describe, expect, test } from 'vitest';
import { rank, rankWithJudge } from './rank.ts';
import { corpusHits, gates, playbookHit, ranked, rankInput } from './rank-fixtures.ts';

const three = [corpusHits('workers', ['w-1', 0.25], ['w-2', 0.5], ['w-3', 0.75])];

describe('inject', () => {
  test('AddsMissingAnswers: an absent answer comes in at hit distance x factor, with its metadata', () => {
    const ranking = rank(
      rankInput({
        perCorpus: three,
        playbookHits: [playbookHit('w-9', 0.16, { score: 0.5 })],
        lookup: (corpus, id) => ({ metadataJson: JSON.stringify({ corpus, id }) }),
      }),
    );
    expect(ranking.results[0]).toEqual({
      id: 'w-9',
      corpus: 'workers',
      distance: 0.12,
      metadataJson: '{"corpus":"workers","id":"w-9"}',
      origin: 'injected',
      baseDistance: 0.16,
      factor: 0.75,
      playbookIds: ['pb-w-9'],
    });
    expect(ranking).toMatchObject({ boosted: 0, injected: 1, suppressed: [], perCorpusCounts: { workers: 3 } });
  });

  test('SkipsAnswersAlreadyPresent: a retrieved answer is boosted, not injected, also below the cut to k', () => {
    const ranking = rank(rankInput({ perCorpus: three, playbookHits: [playbookHit('w-3', 0.01)], k: 1 }));
    expect(ranked(ranking)).toEqual([['w-1', 0.25]]);
    expect(ranking).toMatchObject({ boosted: 1, injected: 0 });
  });

  test('DedupesPerAnswer: of several playbooks the lowest resulting distance counts, once', () => {
    const playbookHits = [
      playbookHit('w-9', 0.12, { score: 0, playbookId: 'pb-nearest' }),
      playbookHit('w-9', 0.18, { score: 1, playbookId: 'pb-lowest' }),
      playbookHit('w-9', 0.19, { score: 1, playbookId: 'pb-third' }),
    ];
    const ranking = rank(rankInput({ perCorpus: three, playbookHits }));
    expect(ranking.results.filter(({ id }) => id === 'w-9')).toMatchObject([
      { distance: 0.09, baseDistance: 0.18, factor: 0.5, playbookIds: ['pb-lowest', 'pb-third', 'pb-nearest'] },
    ]);
    expect(ranking.injected).toBe(1);
  });

  test('DedupesPerAnswer: a much nearer playbook wins over one with a higher score', () => {
    const playbookHits = [
      playbookHit('w-9', 0.16, { score: 1, playbookId: 'pb-high' }),
      playbookHit('w-9', 0.04, { score: 0.5, playbookId: 'pb-near' }),
    ];
    const ranking = rank(rankInput({ perCorpus: three, playbookHits }));
    expect(ranking.results[0]).toMatchObject({ id: 'w-9', distance: 0.03, playbookIds: ['pb-near', 'pb-high'] });
    expect(ranking.injected).toBe(1);
  });

  test('lesson 26, reference 10.22: RespectsInjectThreshold: 0.20 brings in, beyond it only boosts', () => {
    const playbookHits = [
      playbookHit('w-8', 0.2),
      playbookHit('w-9', 0.2000001),
      playbookHit('w-2', 0.4),
      playbookHit('w-7', 0.6),
    ];
    const ranking = rank(rankInput({ perCorpus: three, playbookHits }));
    expect(ranked(ranking).map(([id]) => id)).toEqual(['w-8', 'w-1', 'w-2', 'w-3']);
    expect(ranking).toMatchObject({ boosted: 1, injected: 1 });
    expect(gates(ranking)).toEqual([
      ['pb-w-7', 'distance'],
      ['pb-w-9', 'inject_distance'],
    ]);
    expect(rank(rankInput({ perCorpus: three, playbookHits, maxInjectDistance: 0.3 })).injected).toBe(2);
  });

  test('a playbook within the inject distance but beyond the playbook distance does nothing', () => {
    const playbookHits = [playbookHit('w-9', 0.15)];
    const ranking = rank(rankInput({ perCorpus: three, playbookHits, maxDistance: 0.1 }));
    expect(ranking.injected).toBe(0);
    expect(gates(ranking)).toEqual([['pb-w-9', 'distance']]);
  });

  test('a deleted answer is never injected', () => {
    const ranking = rank(
      rankInput({ perCorpus: three, playbookHits: [playbookHit('w-9', 0)], lookup: () => undefined }),
    );
    expect(ranking.injected).toBe(0);
    expect(gates(ranking)).toEqual([['pb-w-9', 'deleted']]);
  });

  test('an answer of a corpus that was not searched is not injected', () => {
    const playbookHits = [playbookHit('w-9', 0, { corpus: 'ethereal' })];
    const ranking = rank(rankInput({ perCorpus: three, playbookHits }));
    expect(ranking.injected).toBe(0);
    expect(gates(ranking)).toEqual([['pb-w-9', 'corpus']]);
  });

  test('reference 10.24: the same id retrieved from another searched corpus does not stand in the way', () => {
    const perCorpus = [corpusHits('workers', ['x', 0.4]), corpusHits('ethereal')];
    const ranking = rank(rankInput({ perCorpus, playbookHits: [playbookHit('x', 0.1, { corpus: 'ethereal' })] }));
    expect(ranking.results.map(({ corpus, distance }) => [corpus, distance])).toEqual([
      ['ethereal', 0.05],
      ['workers', 0.4],
    ]);
    expect(ranking).toMatchObject({ boosted: 0, injected: 1 });
  });

  test('score 0 brings in at the distance of the recorded query', () => {
    const ranking = rank(rankInput({ perCorpus: three, playbookHits: [playbookHit('w-9', 0.1, { score: 0 })] }));
    expect(ranking.results[0]).toMatchObject({ id: 'w-9', distance: 0.1, factor: 1 });
    expect(ranking.injected).toBe(1);
  });
});

describe('role gate', () => {
  const forklift = { role: 'Forklift Operator' };
  const playbookHits = [playbookHit('w-1', 0.135, forklift), playbookHit('w-9', 0.135, forklift)];

  test('reference 10.21: exact Q10: recorded Forklift Operator at 0.135, asked CNC Operator: rejected, organic hits untouched', () => {
    const gated = rank(rankInput({ perCorpus: three, playbookHits, queryRole: 'CNC Operator' }));
    const organic = rank(rankInput({ perCorpus: three, playbookHits, usePlaybook: false }));
    expect(gated.results).toEqual(organic.results);
    expect(gated).toMatchObject({ boosted: 0, injected: 0 });
    expect(gates(gated)).toEqual([
      ['pb-w-1', 'role'],
      ['pb-w-9', 'role'],
    ]);
  });

  test.each(['Forklift Operators', 'forklift  operator ', ''])('asked %j: allowed', (queryRole) => {
    const ranking = rank(rankInput({ perCorpus: three, playbookHits, queryRole }));
    expect(ranking).toMatchObject({ boosted: 1, injected: 1, suppressed: [] });
  });

  test('a playbook recorded without a role is allowed for every role', () => {
    const ranking = rank(
      rankInput({ perCorpus: three, playbookHits: [playbookHit('w-1', 0.135)], queryRole: 'CNC Operator' }),
    );
    expect(ranking.boosted).toBe(1);
  });

  test('lesson 25: of one role in two cities a filter keeps the other city out; the role alone does not', () => {
    const packer = { role: 'Packer' };
    const indianapolis = [playbookHit('w-9', 0.11, packer)];
    const asked = {
      perCorpus: three,
      playbookHits: indianapolis,
      queryRole: 'Packers',
      lookup: () => ({ metadataJson: '{"role":"Packer","city":"Indianapolis"}' }),
    };
    const inChicago = (metadataJson: string | null) => metadataJson?.includes('Chicago') === true;
    const chicago = rank(rankInput({ ...asked, filter: inChicago, droppedInRetrieval: 0 }));
    expect(chicago).toMatchObject({ injected: 0 });
    expect(gates(chicago)).toEqual([['pb-w-9', 'filter']]);
    // The distance between the two queries is small: whoever asks without saying the city as a filter gets it.
    expect(rank(rankInput(asked)).injected).toBe(1);
  });

  test('of two playbooks for one answer only the one of the right role acts', () => {
    const mixed = [
      playbookHit('w-1', 0.1, { role: 'Forklift Operator', score: 1, playbookId: 'pb-other' }),
      playbookHit('w-1', 0.1, { role: 'CNC Operator', score: 0.5, playbookId: 'pb-same' }),
    ];
    const ranking = rank(rankInput({ perCorpus: three, playbookHits: mixed, queryRole: 'CNC Operators' }));
    expect(ranking.results[0]).toMatchObject({ id: 'w-1', factor: 0.75, playbookIds: ['pb-same'] });
  });
});

describe('judge gate', () => {
  const playbookHits = [
    playbookHit('w-1', 0.1),
    playbookHit('w-8', 0.1),
    playbookHit('w-9', 0.12),
    playbookHit('w-9', 0.14, { playbookId: 'pb-w-9-again' }),
    playbookHit('w-7', 0.3),
  ];
  const input = rankInput({ perCorpus: three, playbookHits });

  test('reference 10.23: it is asked about injections only, once for each answer, and keeps out what it refuses', async () => {
    const asked: string[] = [];
    const ranking = await rankWithJudge(input, async ({ id }) => {
      asked.push(id);
      return id === 'w-8';
    });
    expect(asked.sort()).toEqual(['w-8', 'w-9']);
    expect(ranked(ranking).map(([id]) => id)).toEqual(['w-8', 'w-1', 'w-2', 'w-3']);
    expect(ranking).toMatchObject({ boosted: 1, injected: 1 });
    expect(gates(ranking)).toEqual([
      ['pb-w-7', 'inject_distance'],
      ['pb-w-9', 'judge'],
      ['pb-w-9-again', 'judge'],
    ]);
  });

  test('reference 10.23: a judge that fails refuses, and boosts stay', async () => {
    const ranking = await rankWithJudge(input, () => Promise.reject(new Error('judge away')));
    expect(ranking).toMatchObject({ boosted: 1, injected: 0 });
    expect(ranked(ranking).map(([id]) => id)).toEqual(['w-1', 'w-2', 'w-3']);
  });

  test('a judge that approves everything changes nothing', async () => {
    expect(await rankWithJudge(input, async () => true)).toEqual(rank(input));
  });
});
