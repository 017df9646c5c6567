import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { exitCodeOf } from './command.ts';
import {
  type Check,
  createReport,
  type Findings,
  figure,
  isMet,
  reportMarkdown,
  reportText,
  verdictOf,
  writeReport,
} from './report.ts';
import type { Surroundings } from './surroundings.ts';

const atLeast = (value: number, bar: number): Check => ({ name: 'rate', value, bar, comparison: 'at least' });
const atMost = (value: number, bar: number): Check => ({ name: 'errors', value, bar, comparison: 'at most' });
const condition = (value: number): Check => ({
  ...atLeast(value, 0.25),
  name: 'echo / Fastify alone',
  kind: 'condition',
});

const surroundings: Surroundings = {
  command: 'node dist/scripts/bench/kites.js --rounds 1',
  commit: 'c0ffee',
  dirty: true,
  versions: { node: '20.1.0', nats_server: '2.9.10', packages: { nats: '2.29.3' } },
  machine: { cores: 2, model: 'kite', memory_bytes: 2 ** 33, platform: 'linux x64', load_average: 0.5 },
};
const findings: Findings = {
  benchmark: 'kites',
  method: 'Flies kites.',
  settings: { rounds: 1 },
  seed: 7,
  tables: [
    { title: 'Rates', columns: [{ title: 'kite' }, { title: 'rate', right: true }], rows: [['red | blue', '12']] },
  ],
  checks: [atLeast(1.3, 1.2), condition(0.3)],
  notes: ['No wind.'],
  results: { rates: [12] },
};

describe('checks', () => {
  it('holds a value that is the bar itself, and not one beyond it', () => {
    expect([atLeast(1.2, 1.2), atMost(0, 0)].map(isMet)).toEqual([true, true]);
    expect([atLeast(1.19, 1.2), atMost(1, 0), atLeast(Number.NaN, 1)].map(isMet)).toEqual([false, false, false]);
    expect([atLeast(12 / 0, 1), atMost(-12 / 0, 1)].map(isMet)).toEqual([false, false]);
  });

  it('lets a run without its conditions count for nothing, whatever its bars say', () => {
    expect(verdictOf([atLeast(2, 1), condition(0.3)])).toBe('bars met');
    expect(verdictOf([atLeast(0, 1), condition(0.3)])).toBe('bars not met');
    expect(verdictOf([atLeast(2, 1), condition(0.2)])).toBe('does not count');
    expect(verdictOf([condition(0.3)])).toBe('no bars');
  });

  it('ends with a code that tells the three apart', () => {
    expect(
      ['bars met', 'no bars', 'does not count', 'bars not met'].map((verdict) => exitCodeOf(verdict as never)),
    ).toEqual([0, 0, 1, 5]);
  });
});

describe('a report', () => {
  const report = createReport(findings, surroundings, '2026-11-21T05:00:00.000Z');

  it('says how soon idle processors halt, where the kernel says so', () => {
    const polling = { ...surroundings, machine: { ...surroundings.machine, idle_polling_ns: 200_000 } };
    expect(reportMarkdown(createReport(findings, polling, '2026-11-21T05:00:00.000Z'))).toContain(
      'at the start 0.500; idle processors look for work for 200 us before they halt',
    );
    expect(reportMarkdown(report)).not.toContain('idle processors');
  });

  it('carries what makes it again', () => {
    expect(report).toMatchObject({
      schema: 'lakehouse.bench.v1',
      benchmark: 'kites',
      recorded_at: '2026-11-21T05:00:00.000Z',
      verdict: 'bars met',
      seed: 7,
      surroundings,
      results: { rates: [12] },
    });
    expect(report.checks.map(({ met }) => met)).toEqual([true, true]);
  });

  it('is written as JSON that reads back and as Markdown', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'kites-'));
    try {
      const [json = '', markdown = ''] = await writeReport(report, join(folder, 'deep'), 'kites');
      expect(JSON.parse(readFileSync(json, 'utf8'))).toEqual(report);
      expect(readFileSync(markdown, 'utf8')).toBe(reportMarkdown(report));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('has valid Markdown tables and every circumstance', () => {
    const text = reportMarkdown(report);
    expect(text).toContain('| kite | rate |\n|---|---:|\n| red \\| blue | 12 |');
    expect(text).toContain('| echo / Fastify alone (or the run does not count) | 0.300 | at least 0.250 | yes |');
    for (const part of ['c0ffee with changes', 'seed: 7', 'rounds 1', 'node 20.1.0', 'nats-server 2.9.10', '2 cores'])
      expect(text).toContain(part);
    expect(reportText(report)).toContain('kites: bars met');
  });
});

describe('figure', () => {
  it('shows about four digits', () => {
    expect([1234.5, 123.45, 12.345, 1.2345, 0.12345, 7, Number.NaN].map(figure)).toEqual([
      '1,235',
      '123.5',
      '12.35',
      '1.234',
      '0.123',
      '7',
      '-',
    ]);
  });
});
