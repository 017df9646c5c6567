import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Surroundings } from '../bench/surroundings.ts';
import { textTable } from '../command/table.ts';
import type { FaultReport, StepReport } from './campaign.ts';
import { type FaultId, faultIds, type Scale } from './fault-row.ts';
import { type Bar, barsOf, type Totals, totalsOf } from './totals.ts';

/** A row as it is written. Rows can be run again, each then with what it ran on. */
export type ReportedFault = FaultReport & { readonly commit: string; readonly recorded_at: string };

/** The report as it is written: one object for each fault by its number, and what holds for all of them. */
export type CampaignReport = Readonly<Partial<Record<FaultId, ReportedFault>>> & {
  readonly schema: 'lakehouse.chaos.v1';
  readonly recorded_at: string;
  readonly passed: boolean;
  readonly scale: Scale;
  readonly seed: number;
  readonly mutations: 'run' | 'left out';
  readonly durationMs: number;
  readonly totals: Totals;
  /** Empty where not all faults were run. */
  readonly bars: readonly Bar[];
  readonly surroundings: Surroundings;
};

export interface CampaignRun {
  readonly reports: readonly FaultReport[];
  readonly seed: number;
  readonly scale: Scale;
  readonly withMutations: boolean;
  readonly durationMs: number;
}

/** @param before of the same scale: its rows stay where they were not run again */
export function createCampaignReport(
  run: CampaignRun,
  surroundings: Surroundings,
  recordedAt: string,
  before?: CampaignReport,
): CampaignReport {
  const { scale, seed } = run;
  const commit = `${surroundings.commit}${surroundings.dirty ? ' with changes' : ''}`;
  const anew = run.reports.map((report): ReportedFault => ({ ...report, commit, recorded_at: recordedAt }));
  const kept = before === undefined ? [] : reportsOf(before).map((report) => ({ ...ranAs(before), ...report }));
  const reports = faultIds.flatMap((fault) => {
    const one = [...anew, ...kept].find((report) => report.fault === fault);
    return one === undefined ? [] : [one];
  });
  const durationMs = run.durationMs + (before?.durationMs ?? 0);
  const bars = isWhole(reports) ? barsOf(reports, scale) : [];
  return {
    schema: 'lakehouse.chaos.v1',
    recorded_at: recordedAt,
    passed: reports.length > 0 && reports.every((report) => report.passed) && bars.every(({ met }) => met),
    scale,
    seed,
    mutations: run.withMutations ? 'run' : 'left out',
    durationMs,
    totals: totalsOf(reports),
    bars,
    surroundings,
    ...Object.fromEntries(reports.map((report) => [report.fault, report])),
  };
}

/** What the rows of a report ran on that do not say it themselves. */
const ranAs = ({ surroundings, recorded_at }: CampaignReport) => ({ commit: surroundings.commit, recorded_at });

function isWhole(reports: readonly FaultReport[]): boolean {
  return faultIds.every((fault) => reports.some((report) => report.fault === fault));
}

const reportsOf = (report: CampaignReport): ReportedFault[] =>
  faultIds.flatMap((fault) => {
    const one = report[fault];
    return one === undefined ? [] : [one];
  });

/** The rows of a report that did not pass. */
export function redOf(report: CampaignReport): FaultId[] {
  return reportsOf(report).flatMap(({ fault, passed }) => (passed ? [] : [fault]));
}

const seconds = (milliseconds: number) => `${(milliseconds / 1_000).toFixed(1)} s`;
const countsText = (counts: Readonly<Record<string, number>>) =>
  Object.entries(counts)
    .map(([name, value]) => `${name} ${Number.isInteger(value) ? value : value.toFixed(2)}`)
    .join(', ');
const stepText = (step: StepReport | undefined) => (step === undefined ? '-' : step.passed ? 'held' : 'RED');

function mutationsText({ mutations }: FaultReport): string {
  const found = mutations.filter(({ wentRed }) => wentRed).length;
  return mutations.length === 0 ? '-' : `${found} of ${mutations.length} found`;
}

const faultStep = (report: FaultReport) =>
  report.failure === undefined && report.checks.length > 0 && report.checks.every(({ held }) => held) ? 'held' : 'RED';

function rowsOf(report: CampaignReport): string[][] {
  return reportsOf(report).map((one) => [
    one.fault,
    one.passed ? 'passed' : 'RED',
    stepText(one.control),
    faultStep(one),
    mutationsText(one),
    seconds(one.durationMs),
    countsText(one.counts),
  ]);
}

const titles = ['fault', 'verdict', 'control', 'under fault', 'mutations', 'took', 'counts'];

/** For a terminal. */
export function campaignText(report: CampaignReport): string {
  const table = textTable(
    titles.map((title) => ({ title })),
    rowsOf(report),
  );
  const bars = report.bars.map(
    ({ name, value, bar, comparison, met }) => `${met ? 'met' : 'NOT met'}: ${name} ${value} (${comparison} ${bar})`,
  );
  const verdict = `${report.passed ? 'The campaign passed.' : 'The campaign did NOT pass.'} Seed ${report.seed}.`;
  return [table, '', ...bars, countsText({ ...report.totals }), verdict].join('\n');
}

const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
const line = (cells: readonly string[]) => `| ${cells.map(cell).join(' | ')} |`;
const table = (head: readonly string[], rows: readonly (readonly string[])[]) =>
  [line(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n');

/** For people who read the evidence later. */
export function campaignMarkdown(report: CampaignReport): string {
  const { surroundings, bars } = report;
  const { versions, machine, commit, dirty } = surroundings;
  const packages = Object.entries(versions.packages).map(([name, version]) => `${name} ${version}`);
  const parts = [
    `# Fault campaign: ${report.passed ? 'passed' : 'NOT passed'}`,
    `Scale ${report.scale}, seed ${report.seed}, mutations ${report.mutations} (always at the short scale), ${seconds(report.durationMs)}. ` +
      'Processes were ended with `kill -9`: what only a power cut loses (what was not synced to the disk) is not shown here.',
    table(titles, rowsOf(report)),
    ...(bars.length === 0
      ? []
      : [
          '## Bars',
          table(
            ['what', 'value', 'bar', 'met'],
            bars.map(({ name, value, bar, comparison, met }) => [
              name,
              String(value),
              `${comparison} ${bar}`,
              met ? 'yes' : 'NO',
            ]),
          ),
        ]),
    ...reportsOf(report).flatMap(rowParts),
    '## How to make it again',
    [
      `- command: \`${surroundings.command}\``,
      `- commit: ${commit}${dirty ? ' with changes that are not committed' : ''}`,
      `- recorded: ${report.recorded_at}`,
      `- versions: node ${versions.node}, nats-server ${versions.nats_server}, ${packages.join(', ')}`,
      `- machine: ${machine.cores} cores (${machine.model}), ${machine.platform}; load average at the start ${machine.load_average.toFixed(2)}`,
    ].join('\n'),
  ];
  return `${parts.join('\n\n')}\n`;
}

function rowParts(report: ReportedFault): string[] {
  const checks = report.checks.map(({ oracle, held, seen }) => [oracle, held ? 'held' : 'RED', seen]);
  const mutations = report.mutations.map(({ name, breaks, wentRed, toldBy, failure }) => [
    name,
    breaks,
    wentRed ? 'went red' : 'NOT found',
    toldBy[0]?.oracle ?? failure ?? '',
  ]);
  return [
    `## ${report.fault}: ${report.title}`,
    `Passes when: ${report.passes}`,
    `Seed ${report.seed}, commit ${report.commit}, ${report.recorded_at}.`,
    ...(checks.length === 0 ? [] : [table(['check', 'result', 'seen'], checks)]),
    ...(report.failure === undefined ? [] : [`Broke: ${report.failure.split('\n')[0]}`]),
    ...(mutations.length === 0 ? [] : [table(['mutation', 'what it breaks', 'result', 'told by'], mutations)]),
  ];
}

/** `chaos`; a short run and a run of some faults go beside it, so that they never stand for the whole campaign. */
export function reportName(report: CampaignReport): string {
  const short = report.scale === 'short' ? '-short' : '';
  return `chaos${short}${isWhole(reportsOf(report)) ? '' : '-subset'}`;
}

/** The report of a whole campaign that is there already; undefined where there is none. */
export async function readCampaignReport(directory: string, scale: Scale): Promise<CampaignReport | undefined> {
  const path = join(directory, scale === 'short' ? 'chaos-short.json' : 'chaos.json');
  const text = await readFile(path, 'utf8').catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as CampaignReport);
}

/** Writes `<name>.json` and `<name>.md`; gives their paths. */
export async function writeCampaignReport(report: CampaignReport, directory: string): Promise<string[]> {
  await mkdir(directory, { recursive: true });
  const base = join(directory, reportName(report));
  await writeFile(`${base}.json`, `${JSON.stringify(report, null, 2)}\n`);
  await writeFile(`${base}.md`, campaignMarkdown(report));
  return [`${base}.json`, `${base}.md`];
}
