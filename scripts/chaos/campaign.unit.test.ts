import { describe, expect, it } from 'vitest';
import type { Surroundings } from '../bench/surroundings.ts';
import { type CampaignOptions, runCampaign } from './campaign.ts';
import { type FaultOutcome, type FaultRow, faultIds } from './fault-row.ts';
import { campaignMarkdown, createCampaignReport, redOf, reportName } from './report.ts';
import { type RowRequest, runRow } from './run-row.ts';
import { barsOf, totalsOf } from './totals.ts';

const good: FaultOutcome = { checks: [{ oracle: 'H: same', held: true, seen: '1' }], counts: { kills: 3 } };
const bad: FaultOutcome = { checks: [{ oracle: 'H: same', held: false, seen: '2' }], counts: { kills: 3 } };
const unchecked: FaultOutcome = { checks: [], counts: {} };

function rowOf(fault: FaultRow['fault'], run: FaultRow['run']): FaultRow {
  const mutations = [{ name: 'no-guard', breaks: 'the guard is left out' }];
  return { fault, title: `title of ${fault}`, passes: 'it holds', mutations, run };
}

const asItShould = rowOf('F1', async ({ mutation }) => (mutation === undefined ? good : bad));

async function campaign(rows: readonly FaultRow[], options: Partial<CampaignOptions> = {}) {
  const lines: string[] = [];
  const requests: RowRequest[] = [];
  const faults = options.faults ?? rows.map(({ fault }) => fault);
  const common = { rows, faults, seed: 7, scale: 'long', withMutations: true, budgetMs: undefined, jobs: 1 } as const;
  const reports = await runCampaign(
    { ...common, ...options },
    {
      run: (row, request, report) => {
        requests.push(request);
        return runRow(row, request, report);
      },
      report: (line) => lines.push(line),
      monotonicMs: () => 0,
    },
  );
  return { reports, lines, requests };
}

const surroundings: Surroundings = {
  command: 'node dist/scripts/lakehouse.js chaos',
  commit: 'abc',
  dirty: false,
  versions: { node: '20', nats_server: '2.9.10', packages: {} },
  machine: { cores: 2, model: 'any', memory_bytes: 1, platform: 'linux x64', load_average: 0 },
};

const reportOf = (reports: Awaited<ReturnType<typeof runCampaign>>) =>
  createCampaignReport(
    { reports, seed: 7, scale: 'long', withMutations: true, durationMs: 1 },
    surroundings,
    '2026-11-21T00:00:00Z',
  );

describe('the campaign', () => {
  it('runs the control, the row and its mutations, those at the short scale', async () => {
    const { reports, requests } = await campaign([asItShould]);
    expect(requests.map(({ fault, mutation, scale }) => [fault, mutation, scale])).toEqual([
      [false, undefined, 'long'],
      [true, undefined, 'long'],
      [true, 'no-guard', 'short'],
    ]);
    expect(reports).toMatchObject([
      { fault: 'F1', passed: true, counts: { kills: 3 }, mutations: [{ name: 'no-guard', wentRed: true }] },
    ]);
  });

  it('runs so many rows side by side as it is told, and reports them in their order', async () => {
    let running = 0;
    let most = 0;
    let meet = () => {};
    const met = new Promise<void>((resolve) => {
      meet = resolve;
    });
    const meeting = (fault: FaultRow['fault']) =>
      rowOf(fault, async ({ mutation }) => {
        most = Math.max(most, ++running);
        if (running === 2) meet();
        await met;
        running--;
        return mutation === undefined ? good : bad;
      });
    const faults = ['F1', 'F2', 'F3', 'F4', 'F5'] as const;
    const { reports } = await campaign(faults.map(meeting), { jobs: 2 });
    expect(reports.map(({ fault, passed }) => [fault, passed])).toEqual(faults.map((fault) => [fault, true]));
    expect(most).toBe(2);
  });

  it.each([
    ['a check that does not hold', async () => bad, 'RED'],
    ['nothing that was checked', async () => unchecked, 'nothing was checked'],
    ['an exception', () => Promise.reject(new Error('it broke')), 'it broke'],
    ['a mutation that nothing finds', async () => good, 'NOT FOUND'],
  ])('is red for %s, names the seed and goes on', async (_, run, told) => {
    const other = rowOf('F2', asItShould.run);
    const { reports, lines } = await campaign([rowOf('F1', run), other]);
    expect(reports.map(({ passed }) => passed)).toEqual([false, true]);
    const line = lines.find((one) => one.includes(told));
    expect(line).toContain('seed 7');
    expect(reportOf(reports).passed).toBe(false);
  });

  it('takes a mutation that only breaks for one that was not found', async () => {
    const row = rowOf('F1', async ({ mutation }) => {
      if (mutation !== undefined) throw new Error('it does not even start');
      return good;
    });
    const { reports } = await campaign([row]);
    expect(reports).toMatchObject([{ passed: false, mutations: [{ wentRed: false }] }]);
  });

  it('is red for a fault without a row', async () => {
    const { reports } = await campaign([], { faults: ['F9'] });
    expect(reports).toMatchObject([{ fault: 'F9', passed: false, failure: 'there is no row for it' }]);
  });

  it('gives the rows a part of the time that there is', async () => {
    const rows = [asItShould, rowOf('F2', asItShould.run)];
    const { requests } = await campaign(rows, { budgetMs: 100_000, withMutations: false });
    expect(requests.map(({ budgetMs }) => budgetMs)).toEqual([30_000, 30_000, 60_000, 60_000]);
  });

  it('gives one seed one history', async () => {
    const drawn: number[] = [];
    const row = rowOf('F1', async ({ random }) => {
      drawn.push(random.uint32());
      return good;
    });
    await campaign([row], { withMutations: false });
    await campaign([row], { withMutations: false });
    expect(new Set(drawn).size).toBe(1);
  });
});

describe('its report', () => {
  it('has one object for each fault by its number, and the whole campaign has a name of its own', async () => {
    const { reports } = await campaign(faultIds.map((fault) => rowOf(fault, asItShould.run)));
    const whole = reportOf(reports);
    expect(Object.keys(whole)).toEqual(expect.arrayContaining([...faultIds]));
    expect(whole.F24).toMatchObject({ passed: true, seed: 7 });
    expect(reportName(whole)).toBe('chaos');
    expect(campaignMarkdown(whole)).toContain('## F24: title of F24');
    const subset = reportOf(reports.slice(1));
    expect([reportName(subset), subset.bars]).toEqual(['chaos-subset', []]);
  });

  it('keeps the rows that were not run again, each with what it ran on', async () => {
    const first = await campaign([rowOf('F1', async () => bad), rowOf('F3', asItShould.run)]);
    const before = reportOf(first.reports);
    expect(redOf(before)).toEqual(['F1']);
    const { reports } = await campaign([asItShould]);
    const run = { reports, seed: 8, scale: 'long', withMutations: true, durationMs: 2 } as const;
    const later = { ...surroundings, commit: 'def' };
    const after = createCampaignReport(run, later, '2026-11-22T00:00:00Z', before);
    expect(after).toMatchObject({
      durationMs: 3,
      F1: { passed: true, commit: 'def', recorded_at: '2026-11-22T00:00:00Z' },
      F3: { passed: true, commit: 'abc', recorded_at: '2026-11-21T00:00:00Z' },
    });
    expect(redOf(after)).toEqual([]);
    expect(campaignMarkdown(after)).toContain('Seed 7, commit def, 2026-11-22T00:00:00Z.');
  });

  it('does not pass where a bar of the whole is missed', async () => {
    const { reports } = await campaign(faultIds.map((fault) => rowOf(fault, asItShould.run)));
    expect(reports.every(({ passed }) => passed)).toBe(true);
    expect(reportOf(reports).passed).toBe(false);
    expect(barsOf(reports, 'long').filter(({ met }) => !met)).toHaveLength(4);
    expect(barsOf(reports, 'short').every(({ met }) => met)).toBe(true);
  });

  it('adds up what was counted under faults, and the digests that differed', async () => {
    const broken = rowOf('F2', async () => ({ ...bad, counts: { kills: 1, acknowledgedLost: 2 } }));
    const { reports } = await campaign([asItShould, broken]);
    expect(totalsOf(reports)).toEqual({
      kills: 4,
      simulatorSeeds: 0,
      acknowledgedLost: 2,
      digestMismatches: 1,
      queriesFailedInRebuild: 0,
    });
  });
});
