import { describe, expect, it } from 'vitest';
import type { SearchReply } from '../../schemas/requests/matrix.ts';
import {
  allSearchable,
  builtBy,
  digestOf,
  foundByMeaning,
  halvedDistance,
  liftsAre,
  rankOf,
  rebuildSucceeded,
  resultOf,
  sameDigest,
  sameResults,
  switchedIndex,
  wouldBeLifted,
} from './claims.ts';

function reply(distances: Record<string, number>, boosted = 0, role = 'Picker'): SearchReply {
  return {
    results: Object.entries(distances).map(([id, distance]) => ({
      id,
      distance,
      corpus: 'workers',
      metadata: { role },
    })),
    per_corpus_counts: { workers: 2 },
    playbook_boosted: boosted,
    playbook_injected: 0,
    boosted,
    injected: 0,
    metadata_filter_dropped: 0,
  };
}

const cold = reply({ 'w-1': 0.3, 'w-43': 0.4449 });

describe('the claims of the demo', () => {
  it('finds a result and its rank', () => {
    expect(resultOf(cold, 'w-43')?.distance).toBe(0.4449);
    expect([rankOf(cold, 'w-43'), rankOf(cold, 'w-2')]).toEqual([2, undefined]);
  });

  it.each([
    [0.22245, true],
    [0.22249, true],
    [0.2226, false],
    [0.4449, false],
  ])('0.4449 halved is %d: %s', (distance, holds) => {
    const warm = reply({ 'w-43': distance });
    expect(halvedDistance(resultOf(cold, 'w-43'), resultOf(warm, 'w-43')).holds).toBe(holds);
  });

  it('does not hold where the answer was not found', () => {
    expect(halvedDistance(resultOf(cold, 'w-43'), undefined).holds).toBe(false);
    expect(halvedDistance(undefined, resultOf(cold, 'w-43')).holds).toBe(false);
  });

  it('counts lifts', () => {
    expect([liftsAre(reply({}, 1), 1, 0).holds, liftsAre(reply({}, 2), 1, 0).holds]).toEqual([true, false]);
    expect([wouldBeLifted(reply({}, 1)).holds, wouldBeLifted(reply({}, 0)).holds]).toEqual([true, false]);
  });

  it('compares results with metadata and order', () => {
    const same = reply({ 'w-1': 0.3, 'w-43': 0.4449 });
    expect(sameResults(cold, same, '').holds).toBe(true);
    expect(sameResults(cold, reply({ 'w-43': 0.4449, 'w-1': 0.3 }), '').holds).toBe(false);
    expect(sameResults(cold, reply({ 'w-1': 0.3 }), '').holds).toBe(false);
    expect(sameResults(cold, reply({ 'w-1': 0.3, 'w-43': 0.4449 }, 0, 'Loader'), '').holds).toBe(false);
  });

  it('wants most of the nearest to be of the role', () => {
    expect(foundByMeaning(reply({ a: 1, b: 2, c: 3 }, 0, 'Picker'), 'Picker', 3).holds).toBe(true);
    expect(foundByMeaning(reply({ a: 1, b: 2, c: 3 }, 0, 'Loader'), 'Picker', 3).holds).toBe(false);
    expect(foundByMeaning(reply({ a: 1 }, 0, 'Picker'), 'Picker', 3).holds).toBe(false);
  });

  it('wants every document searchable', () => {
    expect([allSearchable(2, 2, 2).holds, allSearchable(2, 2, 1).holds]).toEqual([true, false]);
  });

  it('wants a digest on both sides', () => {
    const index = { space: 'm@4', live: 1, tombstones: 0 };
    const answer = {
      worker: 'index-1',
      position: {},
      indexes: [
        { ...index, corpus: 'workers', kind: 'playbooks' as const, digest: 'p' },
        { ...index, corpus: 'workers', kind: 'documents' as const, digest: 'd' },
      ],
    };
    expect(digestOf(answer, 'workers')).toBe('d');
    expect(digestOf(answer, 'others')).toBeUndefined();
    expect(sameDigest('d', 'd').holds).toBe(true);
    expect(sameDigest('d', 'e').holds).toBe(false);
    expect(sameDigest(undefined, undefined).holds).toBe(false);
  });

  it('wants the index that answers to be the rebuilt one', () => {
    const shape = { graph: false, recall: null, filter_bytes: 0 };
    const one = { corpus: 'workers', space: 'm@4', live: 1, tombstones: 0, serving: true, ...shape };
    const info = (rebuilt_by: string | null) => ({
      worker: 'index',
      caught_up: true,
      position: {},
      snapshot: null,
      memory_rss_bytes: 1,
      indexes: [
        { ...one, kind: 'documents' as const, side: 'tuesday', rebuilt_by: 'side' },
        { ...one, kind: 'playbooks' as const, side: null, rebuilt_by: 'playbooks' },
        { ...one, kind: 'documents' as const, side: null, rebuilt_by },
      ],
    });
    expect([builtBy(info(null), 'workers'), builtBy(info('r1'), 'workers')]).toEqual([undefined, 'r1']);
    expect(switchedIndex(undefined, 'r1').holds).toBe(true);
    expect(switchedIndex('r1', 'r2').holds).toBe(true);
    expect(switchedIndex('r1', 'r1').holds).toBe(false);
    expect(switchedIndex(undefined, undefined).holds).toBe(false);
    expect([rebuildSucceeded(0).holds, rebuildSucceeded(5).holds]).toEqual([true, false]);
  });
});
