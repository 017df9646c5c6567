import type { LatencySummary } from './histogram.ts';

/** What a load run saw. All durations in milliseconds. */
export interface LoadReport {
  readonly url: string;
  readonly concurrency: number;
  /** Requests a second that an open-loop run intended; `null` for a closed loop. */
  readonly rate: number | null;
  readonly elapsedMs: number;
  /** Requests that came to an end: responses and transport errors. */
  readonly requests: number;
  readonly ok: number;
  /** Responses by status code. */
  readonly statuses: Readonly<Record<string, number>>;
  readonly transportErrors: number;
  /** Transport errors by code, such as `ECONNRESET`. */
  readonly failures: Readonly<Record<string, number>>;
  /** Requests of an open loop that were due and never sent, because the server was too far behind. */
  readonly unsent: number;
  /** Responses, of any status, in a second. */
  readonly rps: number;
  /** Of responses with a 2xx status. In an open loop from the intended start, so that waiting for a free connection counts. */
  readonly latencyMs: LatencySummary | null;
  /** Open loop: from the intended start to the actual one. Large values mean too few connections or a busy generator. */
  readonly sendLagMs: LatencySummary | null;
}

const roundTo = (value: number, digits: number): number => Number(value.toFixed(digits));

function rounded(summary: LatencySummary | null): LatencySummary | null {
  if (summary === null) return null;
  const { count, mean, p50, p95, p99, max } = summary;
  const ms = (value: number): number => roundTo(value, 3);
  return { count, mean: ms(mean), p50: ms(p50), p95: ms(p95), p99: ms(p99), max: ms(max) };
}

/** The report as one line of JSON; durations to the microsecond, rates to a tenth. */
export function reportJson(report: LoadReport): string {
  return JSON.stringify({
    ...report,
    elapsedMs: roundTo(report.elapsedMs, 1),
    rps: roundTo(report.rps, 1),
    latencyMs: rounded(report.latencyMs),
    sendLagMs: rounded(report.sendLagMs),
  });
}

const columns = ['path', 'conc', 'time', 'requests', 'RPS', 'p50', 'p95', 'p99', 'max', 'errors'] as const;
type Row = Readonly<Record<(typeof columns)[number], string>>;

function milliseconds(value: number | undefined): string {
  if (value === undefined) return '-';
  if (value < 10) return value.toFixed(2);
  return value < 100 ? value.toFixed(1) : value.toFixed(0);
}

function toRow(label: string, report: LoadReport): Row {
  const latency = report.latencyMs ?? undefined;
  return {
    path: label,
    conc: String(report.concurrency),
    time: `${(report.elapsedMs / 1000).toFixed(1)} s`,
    requests: String(report.requests),
    RPS: report.rps.toFixed(0),
    p50: milliseconds(latency?.p50),
    p95: milliseconds(latency?.p95),
    p99: milliseconds(latency?.p99),
    max: milliseconds(latency?.max),
    errors: String(report.requests - report.ok + report.unsent),
  };
}

function counts(title: string, values: Readonly<Record<string, number>>): string[] {
  const entries = Object.entries(values).map(([name, count]) => `${name} x ${count}`);
  return entries.length === 0 ? [] : [`${title}: ${entries.join(', ')}`];
}

/** Runs as a Markdown table, one line each; durations in milliseconds. */
export function reportTable(runs: readonly { readonly label: string; readonly report: LoadReport }[]): string {
  const rows = runs.map(({ label, report }) => toRow(label, report));
  const widths = columns.map((column) => Math.max(column.length, ...rows.map((row) => row[column].length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))).join(' | ')} |`;
  const rule = `|${widths.map((width, at) => (at === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`;
  return [line(columns), rule, ...rows.map((row) => line(columns.map((column) => row[column])))].join('\n');
}

/** Where a report is printed. */
export interface ReportOutput {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
}

/** Prints one run: the table and the counts for people on stdout, the JSON summary for programs on stderr. */
export function printReport(label: string, report: LoadReport, output: ReportOutput): void {
  const unsent = report.unsent === 0 ? [] : [`never sent: ${report.unsent} (the server was too far behind)`];
  const lines = [
    reportTable([{ label, report }]),
    ...counts('statuses', report.statuses),
    ...counts('transport errors', report.failures),
    ...unsent,
  ];
  output.stdout.write(`${lines.join('\n')}\n`);
  output.stderr.write(`${reportJson(report)}\n`);
}
