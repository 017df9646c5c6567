import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Column, textTable } from '../command/table.ts';
import type { Surroundings } from './surroundings.ts';

/** What a run has to reach. `counts` are conditions of the run itself: where one is not met, the run does not count. */
export interface Check {
  readonly name: string;
  readonly value: number;
  readonly bar: number;
  readonly comparison: 'at least' | 'at most';
  readonly kind?: 'bar' | 'condition';
}

export interface CheckedBar extends Check {
  readonly met: boolean;
}

export interface ReportTable {
  readonly title: string;
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly string[])[];
}

/** What a benchmark found, before it is written down. */
export interface Findings {
  /** Also the name of the report's files. */
  readonly benchmark: string;
  /** One sentence: what was measured, and how. */
  readonly method: string;
  readonly settings: Readonly<Record<string, string | number>>;
  readonly seed: number;
  readonly tables: readonly ReportTable[];
  readonly checks: readonly Check[];
  readonly notes: readonly string[];
  /** Everything that was measured, for programs. */
  readonly results: object;
}

export interface BenchReport extends Omit<Findings, 'checks'> {
  readonly schema: 'lakehouse.bench.v1';
  /** ISO 8601, when the run ended. */
  readonly recorded_at: string;
  readonly checks: readonly CheckedBar[];
  readonly verdict: Verdict;
  readonly surroundings: Surroundings;
}

/** `does not count`: a condition of the run was not met, so that its figures say nothing. */
export type Verdict = 'bars met' | 'bars not met' | 'does not count' | 'no bars';

/** A value that is no number, such as the ratio to a rate of zero, meets nothing. */
export function isMet({ value, bar, comparison }: Check): boolean {
  if (!Number.isFinite(value)) return false;
  return comparison === 'at least' ? value >= bar : value <= bar;
}

export function verdictOf(checks: readonly Check[]): Verdict {
  if (checks.some((check) => check.kind === 'condition' && !isMet(check))) return 'does not count';
  const bars = checks.filter((check) => check.kind !== 'condition');
  if (bars.length === 0) return 'no bars';
  return bars.every(isMet) ? 'bars met' : 'bars not met';
}

export function createReport(findings: Findings, surroundings: Surroundings, recordedAt: string): BenchReport {
  return {
    schema: 'lakehouse.bench.v1',
    recorded_at: recordedAt,
    ...findings,
    checks: findings.checks.map((check) => ({ ...check, met: isMet(check) })),
    verdict: verdictOf(findings.checks),
    surroundings,
  };
}

/** A figure with about four significant digits. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return '-';
  if (Math.abs(value) >= 1_000) return Math.round(value).toLocaleString('en-US');
  if (Number.isInteger(value)) return String(value);
  return value.toFixed(Math.abs(value) >= 100 ? 1 : Math.abs(value) >= 10 ? 2 : 3);
}

function checkTable(checks: readonly Check[]): ReportTable {
  return {
    title: 'Bars',
    columns: [{ title: 'what' }, { title: 'value', right: true }, { title: 'bar', right: true }, { title: 'met' }],
    rows: checks.map((check) => [
      check.kind === 'condition' ? `${check.name} (or the run does not count)` : check.name,
      figure(check.value),
      `${check.comparison} ${figure(check.bar)}`,
      isMet(check) ? 'yes' : 'NO',
    ]),
  };
}

function allTables({ tables, checks }: Pick<BenchReport, 'tables' | 'checks'>): ReportTable[] {
  return checks.length === 0 ? [...tables] : [...tables, checkTable(checks)];
}

/** For a terminal. */
export function reportText(report: BenchReport): string {
  const tables = allTables(report).map(({ title, columns, rows }) => `${title}\n${textTable(columns, rows)}`);
  return [report.method, ...tables, ...report.notes, `${report.benchmark}: ${report.verdict}`].join('\n\n');
}

const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

function markdownTable({ columns, rows }: ReportTable): string {
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(' | ')} |`;
  const rule = `|${columns.map(({ right }) => (right === true ? '---:' : '---')).join('|')}|`;
  return [line(columns.map(({ title }) => title)), rule, ...rows.map(line)].join('\n');
}

/** For people who read the evidence later. */
export function reportMarkdown(report: BenchReport): string {
  const { surroundings, settings } = report;
  const { versions, commit, dirty } = surroundings;
  const packages = Object.entries(versions.packages).map(([name, version]) => `${name} ${version}`);
  const parts = [
    `# ${report.benchmark}: ${report.verdict}`,
    report.method,
    ...allTables(report).map((table) => `## ${table.title}\n\n${markdownTable(table)}`),
    ...report.notes,
    '## How to make it again',
    [
      `- command: \`${surroundings.command}\``,
      `- commit: ${commit}${dirty ? ' with changes that are not committed' : ''}`,
      `- recorded: ${report.recorded_at}`,
      `- seed: ${report.seed}`,
      `- settings: ${Object.entries(settings)
        .map(([name, value]) => `${name} ${value}`)
        .join(', ')}`,
      `- versions: node ${versions.node}, nats-server ${versions.nats_server}, ${packages.join(', ')}`,
      `- machine: ${machineText(surroundings)}`,
    ].join('\n'),
  ];
  return `${parts.join('\n\n')}\n`;
}

function machineText({ machine }: Surroundings): string {
  const { cores, model, memory_bytes, platform, load_average, idle_polling_ns } = machine;
  const parts = [
    `${cores} cores (${model}), ${figure(memory_bytes / 2 ** 30)} GiB, ${platform}`,
    `load average at the start ${figure(load_average)}`,
  ];
  if (idle_polling_ns !== undefined)
    parts.push(`idle processors look for work for ${figure(idle_polling_ns / 1_000)} us before they halt`);
  return parts.join('; ');
}

/** Writes `<name>.json` and `<name>.md`; gives their paths. */
export async function writeReport(report: BenchReport, directory: string, name: string): Promise<string[]> {
  await mkdir(directory, { recursive: true });
  const json = join(directory, `${name}.json`);
  const markdown = join(directory, `${name}.md`);
  await writeFile(json, `${JSON.stringify(report, null, 2)}\n`);
  await writeFile(markdown, reportMarkdown(report));
  return [json, markdown];
}
