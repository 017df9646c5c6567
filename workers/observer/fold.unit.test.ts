import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type ObservationData,
  type ObservedOperation,
  observationDataSchema,
} from '../../schemas/events/observation.ts';
import { observerStatsReplySchema } from '../../schemas/requests/observer.ts';
import { decodeCheckpoint, encodeCheckpoint } from './checkpoint.ts';
import { evolve, foldLimits, initialState, type ObserverState, otherSources, statsOf } from './fold.ts';

const fold = (events: readonly ObservationData[], from: ObserverState = initialState) => events.reduce(evolve, from);

function operation(fields: Partial<ObservedOperation> = {}): ObservedOperation {
  return {
    timestamp: '2026-11-21T08:00:00.000Z',
    endpoint: 'svc.matrix.search',
    source: 'mcp',
    success: true,
    duration_ms: 2,
    input_summary: '',
    output_summary: '',
    ...fields,
  };
}

const event = (...operations: ObservedOperation[]): ObservationData => ({ source: 'mcp', operations, dropped: 0 });

const sources = fc.oneof(
  fc.constantFrom('mcp', 'scenario', 'gateway', '__proto__', 'constructor'),
  fc.stringMatching(/^[a-z0-9_-]{1,8}$/),
);
const operations = fc
  .record(
    {
      source: sources,
      success: fc.boolean(),
      occurrences: fc.integer({ min: 1, max: 1_000 }),
      staffer_id: fc.string({ maxLength: 5 }),
      event_kind: fc.string({ maxLength: 5 }),
      role: fc.string({ maxLength: 5 }),
      input_summary: fc.string({ unit: 'binary', maxLength: 10 }),
    },
    { requiredKeys: ['source', 'success'] },
  )
  .map((fields) => operation(fields));
const events = fc.array(
  fc.record({ source: sources, operations: fc.array(operations, { maxLength: 12 }), dropped: fc.nat(50) }),
  { maxLength: 40 },
);

describe('the fold of observations', () => {
  it('given five events of two sources, three done and two failed, when asked, then the statistics say so', () => {
    const given = [
      event(operation()),
      event(operation({ success: false })),
      event(operation({ source: 'scenario', staffer_id: 's-1', event_kind: 'fill', role: 'Forklift Operator' })),
      event(operation({ source: 'scenario', success: false })),
      event(operation()),
    ];
    expect(observerStatsReplySchema.parse(statsOf(fold(given)))).toEqual({
      total: 5,
      successes: 3,
      failures: 2,
      dropped: 0,
      by_source: { mcp: 3, scenario: 2 },
      recent_scenario_ops: [
        {
          timestamp: '2026-11-21T08:00:00.000Z',
          endpoint: 'svc.matrix.search',
          success: true,
          staffer_id: 's-1',
          kind: 'fill',
          role: 'Forklift Operator',
        },
        { timestamp: '2026-11-21T08:00:00.000Z', endpoint: 'svc.matrix.search', success: false },
      ],
    });
  });

  it('given nothing, when asked, then every count is zero', () => {
    expect(statsOf(initialState)).toEqual({
      total: 0,
      successes: 0,
      failures: 0,
      dropped: 0,
      by_source: {},
      recent_scenario_ops: [],
    });
  });

  it('given a row that stands for many operations, when folded, then each counts, and the row is one in the ring', () => {
    const state = fold([event(operation({ occurrences: 40 }), operation({ success: false, occurrences: 2 }))]);
    expect(statsOf(state)).toMatchObject({ total: 42, successes: 40, failures: 2, by_source: { mcp: 42 } });
    expect(state.ring).toHaveLength(2);
  });

  it('given operations that were let go, when folded, then they are dropped and nothing else', () => {
    const state = fold([
      { source: 'gateway', operations: [], dropped: 7 },
      { source: 'gateway', operations: [], dropped: 2 },
    ]);
    expect(statsOf(state)).toMatchObject({ total: 0, dropped: 9, by_source: {} });
  });

  it('given a full ring, when another operation comes, then the oldest leaves and the newest is there', () => {
    const many = Array.from({ length: foldLimits.ringOperationsMax + 5 }, (_, n) => operation({ duration_ms: n }));
    const state = fold(many.map((one) => event(one)));
    expect(state.ring.map((one) => one.duration_ms)).toEqual(
      Array.from({ length: foldLimits.ringOperationsMax }, (_, n) => n + 5),
    );
    expect(state.total).toBe(foldLimits.ringOperationsMax + 5);
    expect(fold([event(...many)]).ring).toEqual(state.ring);
  });

  it('given more scenario operations than are kept, when folded, then the newest ten are there, newest last', () => {
    const many = Array.from({ length: 13 }, (_, n) => operation({ source: 'scenario', staffer_id: `s-${n}` }));
    const recent = statsOf(fold([event(...many.slice(0, 8)), event(...many.slice(8))])).recent_scenario_ops;
    expect(recent.map((one) => one.staffer_id)).toEqual(Array.from({ length: 10 }, (_, n) => `s-${n + 3}`));
  });

  it('given sources without end, when folded, then those beyond the limit are counted together', () => {
    const many = Array.from({ length: foldLimits.sourcesMax + 50 }, (_, n) => event(operation({ source: `s${n}` })));
    const { by_source: bySource, total } = statsOf(fold([...many, event(operation({ source: 's0' }))]));
    expect(Object.keys(bySource)).toHaveLength(foldLimits.sourcesMax + 1);
    expect(bySource[otherSources]).toBe(50);
    expect(bySource.s0).toBe(2);
    expect(total).toBe(foldLimits.sourcesMax + 51);
  });

  it('given counts at the end of exact numbers, when more come, then they stay exact numbers', () => {
    const huge = event(operation({ occurrences: Number.MAX_SAFE_INTEGER }));
    const state = fold([huge, huge, event(operation({ success: false }))]);
    expect(observerStatsReplySchema.safeParse(statsOf(state)).success).toBe(true);
    expect(state.total).toBe(Number.MAX_SAFE_INTEGER);
  });

  it('folds the same events twice to the same state, with totals that add up', () => {
    fc.assert(
      fc.property(events, (given) => {
        for (const one of given) observationDataSchema.parse(one);
        const state = fold(given);
        expect(fold(given)).toEqual(state);
        const { total, successes, failures, by_source: bySource } = statsOf(state);
        expect(total).toBe(successes + failures);
        expect(Object.values(bySource).reduce((sum, count) => sum + count, 0)).toBe(total);
      }),
    );
  });

  it('leaves a state that was handed out as it was', () => {
    fc.assert(
      fc.property(events, events, (before, after) => {
        const state = fold(before);
        const text = encodeCheckpoint({ streamCreatedAtMs: 1, sequence: 1, state });
        fold(after, state);
        expect(encodeCheckpoint({ streamCreatedAtMs: 1, sequence: 1, state })).toBe(text);
      }),
    );
  });

  it('goes on from a checkpoint to the state of the whole fold', () => {
    fc.assert(
      fc.property(events, fc.nat(), (given, at) => {
        const cut = given.length === 0 ? 0 : at % (given.length + 1);
        const saved = { streamCreatedAtMs: 1_795_000_000_000, sequence: cut, state: fold(given.slice(0, cut)) };
        const loaded = decodeCheckpoint(encodeCheckpoint(saved));
        if (!('checkpoint' in loaded)) throw new Error(loaded.fault);
        expect(loaded.checkpoint).toEqual(saved);
        expect(fold(given.slice(cut), loaded.checkpoint.state)).toEqual(fold(given));
      }),
    );
  });
});
