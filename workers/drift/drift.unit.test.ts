import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { driftReportSchema, type RunSummary } from '../../schemas/distillation/receipts.ts';
import { baselineDrift, formatChange, summarizeDrift } from './baseline-drift.ts';
import { kolmogorovSmirnov } from './kolmogorov-smirnov.ts';
import { populationStability } from './population-stability.ts';
import { type ComparedRun, runDrift } from './run-drift.ts';
import { type PersistedScore, tallyScorerDrift } from './scorer-drift.ts';

const metrics = (rows: number, skips: number, [a, p, r, h]: readonly [number, number, number, number]) => ({
  p2_evidence_rows: rows,
  p2_evidence_skips: skips,
  p3_accepted: a,
  p3_partial: p,
  p3_rejected: r,
  p3_human: h,
  p4_pref_pairs: 83,
  p4_rag_rows: 448,
  p4_sft_rows: 353,
  p4_total_quarantined: 1325,
});

describe('baseline drift', () => {
  it('flags five of ten from the published first entry to the last of the first runtime', () => {
    const rows = baselineDrift(metrics(12, 2, [0, 0, 0, 0]), metrics(82, 2, [386, 132, 57, 480]));
    expect(summarizeDrift(rows)).toBe('5/10 metrics flagged warn, 0 first-run');
    expect(rows.map(({ metric }) => metric)).toEqual(rows.map(({ metric }) => metric).sort());
    const [evidence] = rows;
    expect([evidence?.metric, formatChange(evidence?.change ?? null)]).toEqual(['p2_evidence_rows', '+583.3%']);
  });

  it('lesson 13: warns from 0 to anything without dividing, and of 0 to 0 says nothing', () => {
    const [grown, still] = baselineDrift({ a: 0, b: 0 }, { a: 5, b: 0 });
    expect(grown).toEqual({ metric: 'a', baseline: 0, current: 5, change: null, flag: 'warn' });
    expect(still).toMatchObject({ change: null, flag: 'ok' });
    expect(formatChange(null)).toBe('-');
  });

  it('warns strictly above 20 %, either way', () => {
    const flags = (current: number) => baselineDrift({ a: 100 }, { a: current })[0]?.flag;
    expect([80, 120, 79, 121].map(flags)).toEqual(['ok', 'ok', 'warn', 'warn']);
  });

  it('takes a metric that was not there before for its first run', () => {
    expect(baselineDrift(undefined, { a: 1 })[0]).toMatchObject({ flag: 'first_run', baseline: null });
    expect(baselineDrift({ b: 1 }, { a: 1 })[0]).toMatchObject({ flag: 'first_run' });
    expect(summarizeDrift(baselineDrift(undefined, { a: 1, b: 2 }))).toBe('0/2 metrics flagged warn, 2 first-run');
  });

  it('prints one decimal and a sign', () => {
    expect([0, 0.0004, -0.0004, -0.125, 5.83333].map(formatChange)).toEqual([
      '+0.0%',
      '+0.0%',
      '+0.0%',
      '-12.5%',
      '+583.3%',
    ]);
  });

  it('never gives NaN or infinity', () => {
    const values = fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.nat());
    fc.assert(
      fc.property(values, values, (prior, current) => {
        for (const { change } of baselineDrift(prior, current))
          expect(change === null || Number.isFinite(change)).toBe(true);
      }),
    );
  });
});

describe('population stability', () => {
  it('is 0 for equal samples, and grows with a shift', () => {
    const sample = Array.from({ length: 1_000 }, (_, index) => index / 1_000);
    expect(populationStability(sample, sample)).toMatchObject({ index: 0, verdict: 'stable' });
    expect(
      populationStability(
        sample,
        sample.map((value) => value * value),
      ).verdict,
    ).toBe('major');
  });

  it('is the sum of its definition', () => {
    const { index } = populationStability([0, 0, 0, 1], [0, 1, 1, 1], { buckets: 2 });
    expect(index).toBeCloseTo((0.25 - 0.75) * Math.log(0.25 / 0.75) * 2, 12);
  });

  it('is stable, minor, then major as the shift grows', () => {
    // Two buckets, shares 0.5 and 0.5 against 0.5 - x and 0.5 + x.
    const shifted = (x: number) => {
      const half = (count: number) => [
        ...new Array<number>(count).fill(0),
        ...new Array<number>(1_000 - count).fill(1),
      ];
      return populationStability(half(500), half(500 - Math.round(1_000 * x)), { buckets: 2 });
    };
    expect([0.1, 0.2, 0.3].map((x) => shifted(x).verdict)).toEqual(['stable', 'minor', 'major']);
  });

  it('has one bucket where all values are one, and nothing to compare where there are none', () => {
    expect(populationStability([3, 3], [3])).toMatchObject({ index: 0, verdict: 'stable' });
    expect(populationStability([], [1])).toEqual({ index: null, verdict: 'not_comparable', buckets: [] });
    expect(() => populationStability([Number.NaN], [1])).toThrow(RangeError);
  });

  it('is never negative, and its shares add up to 1', () => {
    const sample = fc.array(fc.double({ noNaN: true, min: -1e6, max: 1e6 }), { minLength: 1, maxLength: 50 });
    fc.assert(
      fc.property(sample, sample, (baseline, current) => {
        const { index, buckets } = populationStability(baseline, current);
        expect(index).toBeGreaterThanOrEqual(0);
        expect(buckets.reduce((sum, bucket) => sum + bucket.current, 0)).toBeCloseTo(1, 9);
      }),
    );
  });
});

describe('the Kolmogorov-Smirnov test', () => {
  it('agrees with a table: samples far apart, and one beside itself', () => {
    const first = Array.from({ length: 100 }, (_, index) => index);
    expect(kolmogorovSmirnov(first, first)).toMatchObject({ statistic: 0, pValue: 1, drifted: false });
    expect(
      kolmogorovSmirnov(
        first,
        first.map((value) => value + 1_000),
      ),
    ).toMatchObject({ statistic: 1, drifted: true });
    // Critical value at 0.05 for two samples of 100: 1.358 * sqrt(2 / 100) = 0.192.
    expect(
      kolmogorovSmirnov(
        first,
        first.map((value) => value + 18),
      ).drifted,
    ).toBe(false);
    expect(
      kolmogorovSmirnov(
        first,
        first.map((value) => value + 21),
      ).drifted,
    ).toBe(true);
  });

  it('counts ties once, and says nothing of an empty sample', () => {
    expect(kolmogorovSmirnov([1, 1, 1, 2], [1, 1, 1, 2]).statistic).toBe(0);
    expect(kolmogorovSmirnov([], [1])).toMatchObject({ statistic: null, pValue: null, drifted: false });
  });

  it('is the largest gap between the distributions, whichever comes first', () => {
    const sample = fc.array(fc.integer({ min: 0, max: 20 }), { minLength: 1, maxLength: 40 });
    const share = (values: number[], at: number) => values.filter((value) => value <= at).length / values.length;
    fc.assert(
      fc.property(sample, sample, (first, second) => {
        const gaps = [...first, ...second].map((at) => Math.abs(share(first, at) - share(second, at)));
        expect(kolmogorovSmirnov(first, second).statistic).toBeCloseTo(Math.max(...gaps), 12);
        expect(kolmogorovSmirnov(second, first).statistic).toBe(kolmogorovSmirnov(first, second).statistic);
      }),
    );
  });
});

describe('scorer drift', () => {
  const record = (run_id: string) => ({
    schema_version: 1 as const,
    run_id,
    task_id: 't',
    timestamp: '2026-04-27T05:00:00Z',
    provenance: {
      source_file: 'data/_kb/audits.jsonl',
      line_offset: 0,
      sig_hash: 'a'.repeat(64),
      recorded_at: '2026-04-27T05:00:00Z',
    },
  });

  const scorerDrift = (scores: readonly PersistedScore[], ...rules: Parameters<typeof tallyScorerDrift>) => {
    const tally = tallyScorerDrift(...rules);
    for (const score of scores) tally.add(score);
    return tally.done();
  };

  it('counts what moved where: three of five is 0.6', () => {
    const scores = ['1', '2', '3', '4', '5'].map((run) => ({ record: record(run), category: 'accepted' as const }));
    const drift = scorerDrift(
      scores,
      ({ run_id }) => ({ category: Number(run_id) <= 3 ? 'partially_accepted' : 'accepted', reasons: ['r'] }),
      'v1.0.0',
    );
    expect(drift).toMatchObject({ total: 5, matched: 2, drifted: 3, drift_rate: 0.6 });
    expect(drift.shifts).toEqual([{ from: 'accepted', to: 'partially_accepted', count: 3 }]);
    expect(drift.entries).toHaveLength(3);
  });

  it('is all zeros for nothing', () => {
    expect(scorerDrift([], () => ({ category: 'accepted', reasons: ['r'] }), 'v1.0.0')).toMatchObject({
      total: 0,
      drift_rate: 0,
      shifts: [],
    });
  });
});

describe('run drift', () => {
  const run = (out: number, hash: string, input: string | null = 'i', errorClasses: string[] = []): ComparedRun => {
    const stats = { records_in: 10, records_out: out, accepted: out, rejected: 0, quarantined: 0, skipped: 0 };
    const summary: RunSummary = {
      schema_version: 1,
      run_id: `run-${out}-${hash}`,
      recorded_at: '2026-04-27T05:00:00.000Z',
      git_commit: null,
      stages: [{ stage: 'collect', passed: true, output_hash: hash.repeat(64), ...stats }],
      total_records_in: 10,
      total_records_out: out,
      total_accepted: out,
      total_rejected: 0,
      total_quarantined: 0,
      total_skipped: 0,
      datasets: { rag: 0, sft: 0, preference: 0 },
      overall_passed: true,
      run_hash: hash.repeat(64),
    };
    return { summary, inputHashes: { collect: input }, errorClasses };
  };
  const at = '2026-04-27T06:00:00.000Z';

  it('raises an alert where the same input gave another output', () => {
    const report = runDrift(run(10, 'a'), run(10, 'b'), at);
    expect(report).toMatchObject({ severity: 'alert', flags: ['nondeterministic:collect', 'run_hash_changed'] });
    expect(driftReportSchema.safeParse(report).success).toBe(true);
  });

  it('warns where as much came out, and a category moved by more than 20 %', () => {
    const scored = (accepted: number, rejected: number, quarantined = 0, hash = 'a'): ComparedRun => {
      const { summary, ...rest } = run(100, hash, hash);
      const [stage] = summary.stages;
      if (stage === undefined) throw new Error('no stage');
      return {
        ...rest,
        summary: { ...summary, stages: [{ ...stage, stage: 'score', accepted, rejected, quarantined }] },
      };
    };
    const flags = (before: ComparedRun, now: ComparedRun) => runDrift(before, now, at).flags;
    expect(flags(scored(50, 50), scored(60, 40, 0, 'b'))).toEqual(['run_hash_changed']);
    expect(flags(scored(50, 50), scored(61, 39, 0, 'b'))).toEqual([
      'category_swing:score:accepted',
      'category_swing:score:rejected',
      'run_hash_changed',
    ]);
    expect(runDrift(scored(50, 50), scored(50, 49, 1, 'b'), at)).toMatchObject({
      severity: 'warn',
      flags: ['category_swing:score:quarantined', 'run_hash_changed'],
    });
  });

  it('lesson 9: does not know whether inputs match where they were not hashed, and refuses rows of version 1', () => {
    const report = runDrift(run(10, 'a', null), run(10, 'b'), at);
    expect(report.stages[0]).toMatchObject({ input_hash_match: null, deterministic_violation: false });
    expect(report.severity).toBe('ok');
    expect(driftReportSchema.safeParse({ ...report, schema_version: 1 }).success).toBe(false);
  });

  it('warns of a swing above 20 % and of a reason that is new, and is quiet about another hash alone', () => {
    expect(runDrift(run(10, 'a'), run(13, 'b', 'j'), at)).toMatchObject({
      severity: 'warn',
      flags: ['swing:collect', 'run_hash_changed'],
    });
    expect(runDrift(run(10, 'a'), run(10, 'a', 'i', ['invalid_json']), at)).toMatchObject({
      severity: 'warn',
      flags: ['new_error_class:invalid_json'],
    });
    expect(runDrift(run(10, 'a'), run(12, 'b', 'j'), at)).toMatchObject({
      severity: 'ok',
      flags: ['run_hash_changed'],
    });
    expect(runDrift(undefined, run(10, 'a'), at)).toMatchObject({
      severity: 'ok',
      prior_run_id: null,
      flags: ['first_run'],
    });
  });
});
