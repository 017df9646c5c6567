import { createHash } from 'node:crypto';
import type { TaskReplayRun } from '../../schemas/distillation/replay-run.ts';
import { type Bundle, bundleOf, type Prompt, promptOf } from './bundle.ts';
import { checkAnswer, type GateResult } from './gate.ts';
import { artifactOf, type Retrieved } from './retrieve.ts';

export interface ReplayRequest {
  readonly task: string;
  /** Never a model other than the local one, whatever else is asked. */
  readonly localOnly: boolean;
  readonly allowEscalation: boolean;
  readonly noRetrieval: boolean;
  /** Asks no model: the answer is made of the bundle. */
  readonly dryRun: boolean;
}

export interface ReplayModels {
  readonly local: string;
  readonly escalation: string;
}

/** What a replay reaches out to. */
export interface ReplayPorts {
  readonly retriever: 'jaccard' | 'matrix';
  /** @throws where the playbooks can not be read: that is an error, and no run */
  readonly retrieve: (task: string) => Promise<readonly Retrieved[]>;
  /** @throws with what went wrong: that is part of a run */
  readonly chat: (model: string, prompt: Prompt) => Promise<string>;
  readonly monotonicMs: () => number;
  /** ISO 8601. */
  readonly recordedAt: string;
}

/** The id of a run: it derives from its time, so that a run that is told again is the same one. */
export function runIdOf(recordedAt: string): string {
  return `replay-${createHash('sha256').update(recordedAt, 'utf8').digest('hex').slice(0, 16)}`;
}

/**
 * Carries out a task once more with what was learned: retrieval, prompt, local model, gate, and a larger model where the
 * gate refuses the answer and escalating is allowed. Whatever came of it is one row; a model that fails is part of it.
 */
export async function replay(request: ReplayRequest, models: ReplayModels, ports: ReplayPorts): Promise<TaskReplayRun> {
  const { task } = request;
  const begunMs = ports.monotonicMs();
  const retrieved = request.noRetrieval ? [] : await ports.retrieve(task);
  const bundle = request.noRetrieval ? undefined : bundleOf(retrieved);
  const prompt = promptOf(task, bundle);
  const ask = async (model: string, label: string): Promise<Attempt> => {
    try {
      const response = request.dryRun ? dryRunAnswer(task, bundle) : await ports.chat(model, prompt);
      return { model, response, gate: checkAnswer(response, bundle?.validationSteps ?? []) };
    } catch (error) {
      const reason = `${label} call failed: ${error instanceof Error ? error.message : String(error)}`;
      return { model, response: '', gate: { passed: false, reasons: [reason] } };
    }
  };
  const attempts = [await ask(models.local, 'local')];
  if (mayEscalate(request) && attempts[0]?.gate.passed === false)
    attempts.push(await ask(models.escalation, 'escalation'));
  const last = attempts.at(-1) ?? attempts[0];
  if (last === undefined) throw new Error('a replay without an attempt');
  return {
    schema: 'replay_run.v1',
    recorded_at: ports.recordedAt,
    recorded_run_id: runIdOf(ports.recordedAt),
    task_hash: createHash('sha256').update(task, 'utf8').digest('hex'),
    input_task: task,
    retriever: request.noRetrieval ? 'none' : ports.retriever,
    retrieved_artifacts: retrieved.map(artifactOf),
    context_bundle: bundle === undefined ? null : bundleRow(bundle),
    model_used: last.model,
    model_response: last.response,
    validation_result: { passed: last.gate.passed, reasons: [...last.gate.reasons] },
    escalation_path: attempts.map(({ model }) => model),
    dry_run: request.dryRun,
    duration_ms: ports.monotonicMs() - begunMs,
  };
}

interface Attempt {
  readonly model: string;
  readonly response: string;
  readonly gate: GateResult;
}

/** The guard: local only beats everything. */
export function mayEscalate({
  localOnly,
  allowEscalation,
}: Pick<ReplayRequest, 'localOnly' | 'allowEscalation'>): boolean {
  return allowEscalation && !localOnly;
}

/** A made answer that repeats what the bundle says, the same every time. */
export function dryRunAnswer(task: string, bundle: Bundle | undefined): string {
  const signals = [
    ...(bundle?.exemplars ?? []).map((line) => `As worked before: ${line}`),
    ...(bundle?.failurePatterns ?? []).map((line) => `Looked out for: ${line}`),
    ...(bundle?.validationSteps ?? []).map((line) => `Met: ${line}`),
  ];
  return [`Dry run, no model was asked. The task, in its own words: ${task}.`, ...signals].join('\n').padEnd(80, '.');
}

function bundleRow({ exemplars, failurePatterns, validationSteps }: Bundle): TaskReplayRun['context_bundle'] {
  return {
    exemplars: [...exemplars],
    failure_patterns: [...failurePatterns],
    validation_steps: [...validationSteps],
  };
}
