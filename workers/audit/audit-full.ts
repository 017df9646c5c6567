import type { AuditReport, PhaseCheck } from '../../schemas/distillation/audit.ts';
import type { AuditBaseline } from '../../schemas/events/lines.ts';
import { baselineDrift } from '../drift/baseline-drift.ts';
import type { AuditContext, PhaseOutcome } from './phase.ts';
import { auditAcceptance } from './phases/acceptance.ts';
import { auditEvidence } from './phases/evidence.ts';
import { auditExports } from './phases/exports.ts';
import { auditReceipts } from './phases/receipts.ts';
import { auditRecon } from './phases/recon.ts';
import { auditReplay } from './phases/replay.ts';
import { auditSchemas } from './phases/schemas.ts';
import { auditScoring } from './phases/scoring.ts';

/** The phases, in their order. */
const phases: readonly ((context: AuditContext) => Promise<PhaseOutcome>)[] = [
  auditRecon,
  auditSchemas,
  auditEvidence,
  auditScoring,
  auditExports,
  auditReceipts,
  auditAcceptance,
  auditReplay,
];

export interface AuditMoment {
  /** ISO 8601. */
  readonly generatedAt: string;
  readonly gitCommit: string | null;
  /** Read before anything is measured: a run is never compared with itself. */
  readonly prior: AuditBaseline | undefined;
  readonly progress: (phase: number) => void;
}

/**
 * Audits what distillation left behind: every phase, whatever the ones before it found. Only required checks decide; drift
 * is told beside them.
 */
export async function auditFull(context: AuditContext, moment: AuditMoment): Promise<AuditReport> {
  const checks: PhaseCheck[] = [];
  const skipped: AuditReport['skipped_phases'] = [];
  const metrics: Record<string, number> = {};
  for (const [phase, audit] of phases.entries()) {
    moment.progress(phase);
    const outcome = await audit(context);
    checks.push(...outcome.checks);
    Object.assign(metrics, outcome.metrics);
    if (outcome.skipped !== undefined) skipped.push({ phase, reason: outcome.skipped });
  }
  const required = checks.filter((check) => check.required);
  const passed = required.filter((check) => check.passed).length;
  return {
    schema_version: 1,
    generated_at: moment.generatedAt,
    git_commit: moment.gitCommit,
    checks,
    skipped_phases: skipped,
    required: { passed, total: required.length },
    passed: passed === required.length,
    metrics,
    drift: baselineDrift(moment.prior?.metrics, metrics),
  };
}

/** The baseline that a run appends where it is asked to. */
export function baselineOf({ generated_at, git_commit, metrics }: AuditReport): AuditBaseline {
  return { recorded_at: generated_at, ...(git_commit === null ? {} : { git_commit }), metrics };
}
