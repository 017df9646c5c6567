import { type Check, type FaultId, type FaultRow, passed, type Scale } from './fault-row.ts';
import type { RowRequest, RowRun } from './run-row.ts';

export interface CampaignOptions {
  readonly rows: readonly FaultRow[];
  /** What is asked for; one without a row is red. */
  readonly faults: readonly FaultId[];
  readonly seed: number;
  readonly scale: Scale;
  readonly withMutations: boolean;
  /** Bounds the whole: rows that repeat themselves are given a part of what is left. */
  readonly budgetMs: number | undefined;
  /** Rows that run side by side. */
  readonly jobs: number;
}

export interface CampaignPorts {
  run(row: FaultRow, request: RowRequest, report: (line: string) => void): Promise<RowRun>;
  report(line: string): void;
  monotonicMs(): number;
}

export interface StepReport {
  readonly passed: boolean;
  readonly checks: readonly Check[];
  readonly counts: Readonly<Record<string, number>>;
  readonly durationMs: number;
  /** What was thrown, where the run did not come to its end. */
  readonly failure?: string;
}

export interface MutationReport {
  readonly name: string;
  readonly breaks: string;
  /** Whether a check did not hold, as has to be. */
  readonly wentRed: boolean;
  /** The checks that told. */
  readonly toldBy: readonly Check[];
  readonly durationMs: number;
  readonly failure?: string;
}

/** One row: what was done with it, and what came of it. */
export interface FaultReport extends StepReport {
  readonly fault: FaultId;
  readonly title: string;
  readonly passes: string;
  readonly scale: Scale;
  readonly seed: number;
  /** Absent where there is no row. */
  readonly control?: StepReport;
  readonly mutations: readonly MutationReport[];
}

/** Of what a bounded row is given for itself: the rest is for its control and its mutations. */
const faultPart = 0.6;

/**
 * Runs each row's control, the row, and its mutations. A row that fails or breaks is red and names its seed; the campaign
 * goes on. Mutations run at the short scale: that they are found is what they are for.
 */
export async function runCampaign(options: CampaignOptions, ports: CampaignPorts): Promise<FaultReport[]> {
  const { faults, jobs, budgetMs } = options;
  const began = ports.monotonicMs();
  const reports = new Map<FaultId, FaultReport>();
  const waiting = [...faults];
  const runNext = async (): Promise<void> => {
    for (let fault = waiting.shift(); fault !== undefined; fault = waiting.shift()) {
      const row = options.rows.find((one) => one.fault === fault);
      if (row === undefined) {
        reports.set(fault, withoutRow(fault, options));
        continue;
      }
      const left = budgetMs === undefined ? undefined : budgetMs - (ports.monotonicMs() - began);
      const share = left === undefined ? undefined : Math.max(1, (left * faultPart * jobs) / (waiting.length + 1));
      reports.set(fault, await runOne(row, share, options, ports));
    }
  };
  await Promise.all(Array.from({ length: jobs }, runNext));
  return faults.flatMap((fault) => reports.get(fault) ?? []);
}

async function runOne(
  row: FaultRow,
  budgetMs: number | undefined,
  { seed, scale, withMutations }: CampaignOptions,
  ports: CampaignPorts,
): Promise<FaultReport> {
  const step = async (name: string, request: RowRequest): Promise<RowRun> => {
    ports.report(`${row.fault} ${name}: ${row.title}`);
    const run = await ports.run(row, request, (line) => ports.report(`${row.fault} ${name}: ${line}`));
    ports.report(`${row.fault} ${name}: ${tellRun(run, request)}`);
    return run;
  };
  const common = { seed, scale, budgetMs };
  const control = await step('control', { ...common, fault: false, mutation: undefined });
  const fault = await step('fault', { ...common, fault: true, mutation: undefined });
  const mutations: MutationReport[] = [];
  for (const { name, breaks } of withMutations ? row.mutations : []) {
    const run = await step(`mutation ${name}`, { seed, scale: 'short', fault: true, mutation: name, budgetMs });
    mutations.push({ name, breaks, ...mutationOf(run) });
  }
  const controlStep = stepOf(control);
  const faultStep = stepOf(fault);
  return {
    fault: row.fault,
    title: row.title,
    passes: row.passes,
    scale,
    seed,
    ...faultStep,
    passed: controlStep.passed && faultStep.passed && mutations.every(({ wentRed }) => wentRed),
    control: controlStep,
    mutations,
  };
}

function stepOf({ outcome, failure, durationMs }: RowRun): StepReport {
  return {
    passed: outcome !== undefined && passed(outcome),
    checks: outcome?.checks ?? [],
    counts: outcome?.counts ?? {},
    durationMs,
    ...(failure === undefined ? {} : { failure }),
  };
}

/** Red is a check that did not hold: a run that broke has shown nothing. */
function mutationOf({ outcome, failure, durationMs }: RowRun): Omit<MutationReport, 'name' | 'breaks'> {
  const toldBy = (outcome?.checks ?? []).filter(({ held }) => !held);
  return { wentRed: toldBy.length > 0, toldBy, durationMs, ...(failure === undefined ? {} : { failure }) };
}

function tellRun({ outcome, failure, durationMs }: RowRun, { seed, mutation }: RowRequest): string {
  const seconds = `${(durationMs / 1_000).toFixed(1)} s`;
  if (outcome === undefined) return `BROKE after ${seconds}, seed ${seed}: ${failure}`;
  const red = outcome.checks.find(({ held }) => !held);
  if (mutation !== undefined)
    return red === undefined
      ? `NOT FOUND in ${seconds}, seed ${seed}: every check held though the guard was broken`
      : `found in ${seconds}: ${red.oracle} (${red.seen})`;
  if (red !== undefined) return `RED after ${seconds}, seed ${seed}: ${red.oracle} (${red.seen})`;
  return passed(outcome) ? `held, ${seconds}` : `RED after ${seconds}, seed ${seed}: nothing was checked`;
}

function withoutRow(fault: FaultId, { seed, scale }: CampaignOptions): FaultReport {
  const failure = 'there is no row for it';
  return {
    fault,
    title: '',
    passes: '',
    scale,
    seed,
    passed: false,
    checks: [],
    counts: {},
    durationMs: 0,
    failure,
    mutations: [],
  };
}
