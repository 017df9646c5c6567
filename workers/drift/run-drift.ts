import type { DriftReport, RunSummary, StageName } from '../../schemas/distillation/receipts.ts';
import { driftThreshold } from './baseline-drift.ts';

/** A run with the hash of what each stage took; null where it was not computed. */
export interface ComparedRun {
  readonly summary: RunSummary;
  readonly inputHashes: Readonly<Partial<Record<StageName, string | null>>>;
  /** The reasons for which rows were skipped or refused. */
  readonly errorClasses: readonly string[];
}

type StageDrift = DriftReport['stages'][number];

/**
 * How a run differs from the one before it. The same input with another output is an `alert`: a stage that should be a
 * function of its input is none. More than 20 % either way, of what came out or of one category, or a reason for refusing
 * that was not there before, is `warn`.
 * @param prior undefined where this is the first run
 */
export function runDrift(prior: ComparedRun | undefined, current: ComparedRun, generatedAt: string): DriftReport {
  const { run_id, run_hash } = current.summary;
  const report = { schema_version: 2, run_id, generated_at: generatedAt } as const;
  if (prior === undefined) return { ...report, prior_run_id: null, severity: 'ok', stages: [], flags: ['first_run'] };
  const stages = current.summary.stages.map(({ stage }) => stageDrift(stage, prior, current));
  const fresh = current.errorClasses.filter((name) => !prior.errorClasses.includes(name));
  const swings = stages.filter(isSwing);
  const categories = current.summary.stages.flatMap((stage) => categorySwings(stage, prior));
  const flags = [
    ...stages.filter((stage) => stage.deterministic_violation).map(({ stage }) => `nondeterministic:${stage}`),
    ...swings.map(({ stage }) => `swing:${stage}`),
    ...categories,
    ...fresh.map((name) => `new_error_class:${name}`),
    ...(prior.summary.run_hash === run_hash ? [] : ['run_hash_changed']),
  ];
  const alert = stages.some((stage) => stage.deterministic_violation);
  const severity = alert ? 'alert' : swings.length + categories.length + fresh.length > 0 ? 'warn' : 'ok';
  return { ...report, prior_run_id: prior.summary.run_id, severity, stages, flags };
}

function stageDrift(stage: StageName, prior: ComparedRun, current: ComparedRun): StageDrift {
  const before = prior.summary.stages.find((one) => one.stage === stage);
  const now = current.summary.stages.find((one) => one.stage === stage);
  const delta = (name: 'records_in' | 'records_out' | 'accepted' | 'quarantined') =>
    (now?.[name] ?? 0) - (before?.[name] ?? 0);
  const inputs = [prior.inputHashes[stage] ?? null, current.inputHashes[stage] ?? null];
  const inputMatch = inputs.includes(null) ? null : inputs[0] === inputs[1];
  const outputMatch = before === undefined || now === undefined ? null : before.output_hash === now.output_hash;
  const violation = inputMatch === true && outputMatch === false;
  const out = before?.records_out ?? 0;
  return {
    stage,
    delta_records_in: delta('records_in'),
    delta_records_out: delta('records_out'),
    delta_accepted: delta('accepted'),
    delta_quarantined: delta('quarantined'),
    pct_change_out: out === 0 ? null : delta('records_out') / out,
    input_hash_match: inputMatch,
    output_hash_match: outputMatch,
    deterministic_violation: violation,
    notes: violation ? ['the same input gave another output'] : [],
  };
}

function isSwing({ pct_change_out }: StageDrift): boolean {
  return pct_change_out !== null && Math.abs(pct_change_out) > driftThreshold;
}

const categories = ['accepted', 'rejected', 'quarantined', 'skipped'] as const;

/** What moved inside a stage while as much came out. From 0 to anything counts, as in the table of baselines. */
function categorySwings(now: RunSummary['stages'][number], { summary }: ComparedRun): string[] {
  const before = summary.stages.find(({ stage }) => stage === now.stage);
  if (before === undefined) return [];
  // Where all that came out was accepted, the swing of the stage has told it.
  const told = [before, now].every(({ accepted, records_out }) => accepted === records_out);
  return categories
    .filter((category) => category !== 'accepted' || !told)
    .filter((category) => Math.abs(now[category] - before[category]) > driftThreshold * before[category])
    .map((category) => `category_swing:${now.stage}:${category}`);
}
