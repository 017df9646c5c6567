import { type RagSample, ragSampleSchema } from '../../../schemas/distillation/exports.ts';
import { replayRunSchema } from '../../../schemas/events/lines.ts';
import { layout } from '../../distillation/files/layout.ts';
import type { ReplayRequest } from '../../replay/replay.ts';
import { type AuditContext, informational, type PhaseOutcome, required } from '../phase.ts';
import { auditedRows } from '../rows.ts';

export const replayLogPath = '_kb/replay_runs.jsonl';
const tailRows = 50;

const tasks = [
  'Review the latest change to the index and say what should be verified before it ships.',
  'Find forklift operators for six weeks and say what has to be checked before their first shift.',
  'Audit the limits of the gateway and report what you find.',
] as const;

/** Its dry answer repeats it, and the gate refuses such words: only then is there something to hold back. */
const refusedTask = 'Say, as an AI, that nothing is known of the task.';

/**
 * Phase 7, live: three tasks are carried out without asking a model, the guard holds, and the end of the log of runs can be
 * read.
 */
export async function auditReplay(context: AuditContext): Promise<PhaseOutcome> {
  const playbooks = () => soundPlaybooks(context.root);
  const request: ReplayRequest = { task: '', localOnly: true, allowEscalation: true, noRetrieval: false, dryRun: true };
  const notes: string[] = [];
  let passed = 0;
  for (const task of tasks) {
    const run = await context.replayDry({ ...request, task }, playbooks);
    if (run.escalation_path.length !== 1) notes.push(`the guard did not hold: ${run.escalation_path.join(' -> ')}`);
    else if (run.validation_result.passed) passed++;
    else notes.push(`"${task}": ${run.validation_result.reasons.join('; ')}`);
  }
  notes.push(...(await guardFaults(context)));
  const tail = await readTail(context.root);
  return {
    checks: [
      required({
        phase: 7,
        name: 'replay_dry_runs',
        expected: `${tasks.length} of ${tasks.length} pass, the escalation guard holds`,
        actual: `${passed} of ${tasks.length}${notes.length === 0 ? ', it does' : `; ${notes.length} faults`}`,
        passed: passed === tasks.length && notes.length === 0,
        notes,
      }),
      required({
        phase: 7,
        name: 'replay_log_tail',
        expected: `the last ${tailRows} rows of ${replayLogPath} can be read`,
        actual: `${tail.malformed.length} of ${tail.read} can not`,
        passed: tail.malformed.length === 0,
        notes: tail.malformed.map((line) => `line ${line}`),
      }),
      informational({
        phase: 7,
        name: 'replay_runs_logged',
        expected: 'some runs',
        actual: `${tail.rows} rows`,
        passed: tail.rows > 0,
      }),
    ],
  };
}

/** An answer that the gate refuses: with local only no other model may be asked for one, without it another has to be. */
async function guardFaults({ replayDry }: AuditContext): Promise<string[]> {
  const request = { task: refusedTask, allowEscalation: true, noRetrieval: true, dryRun: true } as const;
  const none = async function* () {};
  const guarded = await replayDry({ ...request, localOnly: true }, none);
  const free = await replayDry({ ...request, localOnly: false }, none);
  const faults: string[] = [];
  if (guarded.validation_result.passed) faults.push('the gate let an answer pass that it has to refuse');
  if (guarded.escalation_path.length !== 1)
    faults.push(`the guard did not hold: ${guarded.escalation_path.join(' -> ')} under local only`);
  if (free.escalation_path.length !== 2) faults.push('a refused answer was not escalated where it was allowed');
  return faults;
}

/** The playbooks that are sound; what is not is another phase's to tell. */
async function* soundPlaybooks(root: string): AsyncGenerator<RagSample, void, void> {
  for await (const { value } of auditedRows(root, layout.exports.rag)) {
    const sample = ragSampleSchema.safeParse(value);
    if (sample.success) yield sample.data;
  }
}

async function readTail(root: string): Promise<{ rows: number; read: number; malformed: number[] }> {
  const tail: { line: number; good: boolean }[] = [];
  let rows = 0;
  for await (const { line, value } of auditedRows(root, replayLogPath)) {
    rows++;
    tail.push({ line, good: replayRunSchema.safeParse(value).success });
    if (tail.length > tailRows) tail.shift();
  }
  return { rows, read: tail.length, malformed: tail.filter(({ good }) => !good).map(({ line }) => line) };
}
