import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileMetadataFilter } from '../metadata-filter/metadata-filter.ts';
import { rank, rankWithJudge } from './rank.ts';
import type { Candidate, PlaybookHit, RankInput, Ranking } from './types.ts';

/**
 * Small pools of corpora, ids, distances and roles, so that ties, equal ids across corpora, answers that are present
 * and answers that are absent all happen often. A document is alive, and maybe retrieved; metadata is one label.
 */
const corpora = ['a', 'b'] as const;
const ids = ['w-0', 'w-1', 'w-2', 'w-3', 'w-4', 'w-5'] as const;
const labels = ['x', 'y', 'z'] as const;
const roles = ['', 'Forklift Operator', 'forklift operators', 'CNC Operator'] as const;
const anyDistance = fc.oneof(fc.constantFrom(0, -1e-8, 0.1, 0.2, 0.5), fc.double({ min: 0, max: 2, noNaN: true }));

const document = fc.record({
  alive: fc.boolean(),
  retrieved: fc.boolean(),
  distance: anyDistance,
  metadataJson: fc.oneof(
    fc.constantFrom(...labels).map((label) => JSON.stringify({ label })),
    fc.constant(null),
    fc.constant('{'),
  ),
});

const playbookHit: fc.Arbitrary<PlaybookHit> = fc.record({
  playbookId: fc.integer({ min: 0, max: 0xffff }).map((number) => `pb-${number}`),
  distance: anyDistance,
  entry: fc.record({
    answer_id: fc.constantFrom(...ids),
    answer_corpus: fc.constantFrom('a', 'b', 'elsewhere'),
    score: fc.double({ min: 0, max: 1, noNaN: true }),
    role: fc.constantFrom(...roles, undefined),
  }),
});

const rankInput: fc.Arbitrary<RankInput> = fc
  .record({
    documents: fc.array(document, { minLength: 12, maxLength: 12 }),
    playbookHits: fc.uniqueArray(playbookHit, { maxLength: 8, selector: (hit) => hit.playbookId }),
    k: fc.integer({ min: 0, max: 14 }),
    excluded: fc.subarray([...ids], { maxLength: 2 }),
    allowed: fc.option(fc.subarray([...labels]), { nil: undefined }),
    queryRole: fc.constantFrom(...roles),
  })
  .map(({ documents, playbookHits, k, excluded, allowed, queryRole }) => {
    const all = documents.map((one, position) => ({
      ...one,
      corpus: position < ids.length ? 'a' : 'b',
      id: ids[position % ids.length] ?? '',
    }));
    const living = new Map(all.filter((one) => one.alive || one.retrieved).map((one) => [one.corpus + one.id, one]));
    const hitsOf = (corpus: string): Candidate[] =>
      all
        .filter((one) => one.retrieved && one.corpus === corpus)
        .map(({ id, distance, metadataJson }) => ({ id, corpus, distance, metadataJson }))
        .sort((left, right) => left.distance - right.distance || (left.id < right.id ? -1 : 1));
    return {
      perCorpus: corpora.map((corpus) => ({ corpus, hits: hitsOf(corpus) })),
      playbookHits,
      k,
      excludeIds: new Set(excluded),
      filter: allowed === undefined ? undefined : compileMetadataFilter({ label: allowed }),
      queryRole,
      usePlaybook: true,
      lookup: (corpus: string, id: string) => living.get(corpus + id),
    };
  });

const keyOf = ({ corpus, id }: { corpus: string; id: string }): string => `${corpus}/${id}`;

function holds(property: (input: RankInput, ranking: Ranking) => void): void {
  fc.assert(
    fc.property(rankInput, (input) => property(input, rank(input))),
    { numRuns: 500 },
  );
}

/** All that a reply shows and counts: everything but the explanation of what was suppressed. */
function visible({ suppressed: _suppressed, ...rest }: Ranking): Omit<Ranking, 'suppressed'> {
  return rest;
}

describe('properties of rank', () => {
  test('the inputs reach boosts, injections and every gate that needs no judge', () => {
    const seen = new Set<string>();
    for (const input of fc.sample(rankInput, { numRuns: 2_000, seed: 7 })) {
      const ranking = rank(input);
      if (ranking.boosted > 0) seen.add('boosted');
      if (ranking.injected > 0) seen.add('injected');
      for (const { gate } of ranking.suppressed) seen.add(gate);
    }
    const gatesWithoutJudge = ['corpus', 'deleted', 'distance', 'excluded', 'filter', 'inject_distance', 'role'];
    expect([...seen].sort()).toEqual(['boosted', ...gatesWithoutJudge, 'injected'].sort());
  });

  test('never more than k, and exactly k where that many are left', () => {
    holds((input, { results }) => {
      const all = rank({ ...input, k: 1_000 }).results;
      expect(results).toEqual(all.slice(0, input.k));
    });
  });

  test('sorted by distance, and each document at most once', () => {
    holds((_input, { results }) => {
      const distances = results.map(({ distance }) => distance);
      expect(distances).toEqual([...distances].sort((left, right) => left - right));
      expect(new Set(results.map(keyOf)).size).toBe(results.length);
    });
  });

  test('reference 10.26: excluded ids are never present, and what is present passes the filter and is alive', () => {
    holds((input, { results }) => {
      for (const result of results) {
        expect(input.excludeIds.has(result.id)).toBe(false);
        expect(input.filter?.(result.metadataJson) ?? true).toBe(true);
        expect(input.lookup(result.corpus, result.id)).toBeDefined();
      }
    });
  });

  test('without playbooks, exclusion and filter the results are the retrieved in retrieval order', () => {
    holds((input) => {
      const { results } = rank({ ...input, usePlaybook: false, excludeIds: new Set(), filter: undefined, k: 1_000 });
      for (const { corpus, hits } of input.perCorpus) {
        const ofCorpus = results.filter((result) => result.corpus === corpus);
        expect(ofCorpus.map(({ id, distance }) => [id, distance])).toEqual(
          hits.map(({ id, distance }) => [id, distance]),
        );
      }
    });
  });

  test('reference 10.21: playbooks of another role leave the reply identical to use_playbook false', () => {
    holds((input) => {
      const playbookHits = input.playbookHits.map((hit) => ({ ...hit, entry: { ...hit.entry, role: 'Welder' } }));
      const gated = rank({ ...input, playbookHits, queryRole: 'CNC Operator' });
      expect(visible(gated)).toEqual(visible(rank({ ...input, usePlaybook: false })));
      expect(gated.suppressed).toHaveLength(playbookHits.length);
    });
  });

  test('a boost never raises a distance and takes away no more than half', () => {
    holds((_input, { results }) => {
      for (const { distance, baseDistance } of results) {
        expect(distance).toBeLessThanOrEqual(baseDistance);
        expect(distance).toBeGreaterThanOrEqual(Math.min(baseDistance, baseDistance / 2));
      }
    });
  });

  test('the same playbooks twice, or in another order, give the same reply', () => {
    holds((input, ranking) => {
      const { playbookHits } = input;
      const twice = rank({ ...input, playbookHits: [...playbookHits, ...playbookHits] });
      const reversed = rank({ ...input, playbookHits: [...playbookHits].reverse() });
      expect(visible(twice)).toEqual(visible(ranking));
      expect(visible(reversed)).toEqual(visible(ranking));
    });
  });

  test('every playbook either acted on an answer or is suppressed, never both', () => {
    holds((input) => {
      const { results, suppressed } = rank({ ...input, k: 1_000 });
      const named = [...results.flatMap(({ playbookIds }) => playbookIds), ...suppressed.map((one) => one.playbookId)];
      expect(named.sort()).toEqual(input.playbookHits.map(({ playbookId }) => playbookId).sort());
    });
  });

  test('the counters count what the results show', () => {
    holds((input) => {
      const { results, boosted, injected, metadataFilterDropped, perCorpusCounts } = rank({ ...input, k: 1_000 });
      const retrieved = results.filter(({ origin }) => origin === 'retrieved');
      const candidates = input.perCorpus.flatMap(({ hits }) => hits);
      const excluded = candidates.filter(({ id }) => input.excludeIds.has(id));
      expect(boosted).toBe(retrieved.filter(({ factor }) => factor < 1).length);
      expect(injected).toBe(results.length - retrieved.length);
      expect(metadataFilterDropped).toBe(candidates.length - excluded.length - retrieved.length);
      expect(Object.values(perCorpusCounts)).toEqual(input.perCorpus.map(({ hits }) => hits.length));
    });
  });

  test('filtering in retrieval or afterwards gives the same reply', () => {
    holds((input, ranking) => {
      const { filter } = input;
      fc.pre(filter !== undefined);
      const perCorpus = input.perCorpus.map(({ corpus, hits }) => ({
        corpus,
        hits: hits.filter(({ metadataJson }) => filter?.(metadataJson)),
      }));
      const inside = rank({ ...input, perCorpus, droppedInRetrieval: ranking.metadataFilterDropped });
      expect({ ...inside, perCorpusCounts: {} }).toEqual({ ...ranking, perCorpusCounts: {} });
    });
  });

  test('reference 10.23: a judge that refuses all leaves exactly the ranking without injections', async () => {
    await fc.assert(
      fc.asyncProperty(rankInput, async (input) => {
        const judged = await rankWithJudge(input, async () => false);
        const boostOnly = rank({ ...input, lookup: () => undefined });
        expect(visible(judged)).toEqual(visible(boostOnly));
      }),
    );
  });
});
