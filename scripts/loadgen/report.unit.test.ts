import { expect, it } from 'vitest';
import { type LoadReport, printReport, reportJson, reportTable } from './report.ts';
import { createTally } from './tally.ts';

const report: LoadReport = {
  url: 'http://127.0.0.1:3110/v1/matrix/search',
  concurrency: 10,
  rate: null,
  elapsedMs: 30_012.345,
  requests: 83_160,
  ok: 83_157,
  statuses: { '200': 83_157, '503': 2 },
  transportErrors: 1,
  failures: { ECONNRESET: 1 },
  unsent: 0,
  rps: 2771.96,
  latencyMs: { count: 83_157, mean: 3.456_789, p50: 2.512_345, p95: 7.2, p99: 12.34, max: 162.5 },
  sendLagMs: null,
};

it('prints a table for people and a line of JSON for programs', () => {
  const written = { stdout: '', stderr: '' };
  printReport('direct', report, {
    stdout: { write: (text: string) => (written.stdout += text) },
    stderr: { write: (text: string) => (written.stderr += text) },
  });
  expect(written.stdout.split('\n')).toEqual([
    '| path   | conc |   time | requests |  RPS |  p50 |  p95 |  p99 | max | errors |',
    '|--------|-----:|-------:|---------:|-----:|-----:|-----:|-----:|----:|-------:|',
    '| direct |   10 | 30.0 s |    83160 | 2772 | 2.51 | 7.20 | 12.3 | 163 |      3 |',
    'statuses: 200 x 83157, 503 x 2',
    'transport errors: ECONNRESET x 1',
    '',
  ]);
  expect(written.stderr.endsWith('\n')).toBe(true);
  expect(JSON.parse(written.stderr)).toEqual({
    ...report,
    elapsedMs: 30_012.3,
    rps: 2772,
    latencyMs: { count: 83_157, mean: 3.457, p50: 2.512, p95: 7.2, p99: 12.34, max: 162.5 },
  });
});

it('shows a run in which nothing succeeded, and counts what was never sent as errors', () => {
  const lost: LoadReport = { ...report, requests: 5, ok: 0, statuses: {}, unsent: 7, latencyMs: null };
  expect(reportTable([{ label: 'a', report: lost }])).toContain('|   - |   - |   - |   - |     12 |');
  expect(JSON.parse(reportJson(lost)).latencyMs).toBeNull();
});

it('tallies statuses and failures apart, and times only what succeeded', () => {
  const tally = createTally();
  tally.settle(200, '', 10);
  tally.settle(503, '', 900);
  tally.settle(0, 'ECONNRESET', 5);
  tally.settle(0, 'ECONNRESET', 5);
  expect(tally.figures()).toMatchObject({
    requests: 4,
    ok: 1,
    statuses: { '200': 1, '503': 1 },
    transportErrors: 2,
    failures: { ECONNRESET: 2 },
    latencyMs: { count: 1, max: 10 },
  });
});
