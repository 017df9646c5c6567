import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { runSummarySchema, stageNames, stageReceiptSchema } from '../../../schemas/distillation/receipts.ts';
import { issueSentence } from '../../../schemas/problems.ts';
import { layout } from '../../distillation/files/layout.ts';
import { runIds } from '../../distillation/run/run.ts';
import { type AuditContext, informational, type PhaseOutcome, required } from '../phase.ts';

/** Phase 5: the newest run left five receipts, each valid, and a summary whose hash is one. */
export async function auditReceipts({ root }: AuditContext): Promise<PhaseOutcome> {
  const runId = await newestRun(root);
  const read = (name: string) => readJson(join(root, layout.runs, runId ?? '', `${name}.json`));
  const receipts = await Promise.all(stageNames.map(async (stage) => ({ stage, value: await read(stage) })));
  const there = receipts.filter(({ value }) => value !== undefined);
  const invalid = there.flatMap(({ stage, value }) => {
    const receipt = stageReceiptSchema.safeParse(value);
    return receipt.success ? [] : [`${stage}: ${issueSentence(receipt.error)}`];
  });
  const summary = await read('summary');
  // The hash has a check of its own: everything else of a summary is valid with any hash.
  const checked = runSummarySchema.omit({ run_hash: true }).loose().safeParse(summary);
  const { run_hash: hash, git_commit: commit } = { ...(summary as Record<string, unknown> | undefined) };
  const hashGood = typeof hash === 'string' && /^[0-9a-f]{64}$/.test(hash);
  const of = runId === undefined ? 'there is no run' : `run ${runId}`;
  const missing = receipts.filter(({ value }) => value === undefined).map(({ stage }) => `${stage}.json is missing`);
  return {
    checks: [
      required({
        phase: 5,
        name: 'receipts_present',
        expected: `${stageNames.length} of ${stageNames.length}`,
        actual: `${there.length} of ${stageNames.length} (${of})`,
        passed: there.length === stageNames.length,
        notes: missing,
      }),
      required({
        phase: 5,
        name: 'receipts_valid',
        expected: 'every receipt that is there fits its schema',
        actual: `${invalid.length} do not`,
        passed: runId !== undefined && invalid.length === 0,
        notes: invalid,
      }),
      required({
        phase: 5,
        name: 'summary_valid',
        expected: 'the summary fits its schema',
        actual: checked.success ? 'it does' : issueSentence(checked.error),
        passed: checked.success,
      }),
      required({
        phase: 5,
        name: 'run_hash_sha256',
        expected: '64 lower-case hex digits',
        actual: hashGood ? hash : `${JSON.stringify(hash) ?? 'none'}`,
        passed: hashGood,
      }),
      informational({
        phase: 5,
        name: 'run_commit_known',
        expected: 'the commit of the program',
        actual: typeof commit === 'string' ? commit : 'none',
        passed: typeof commit === 'string' && /^[0-9a-f]{40}$/.test(commit),
      }),
    ],
  };
}

/** By the time at which its folder was last written to. */
async function newestRun(root: string): Promise<string | undefined> {
  let newest: { runId: string; writtenMs: number } | undefined;
  for (const runId of await runIds(root)) {
    const { mtimeMs } = await stat(join(root, layout.runs, runId));
    if (newest === undefined || mtimeMs > newest.writtenMs) newest = { runId, writtenMs: mtimeMs };
  }
  return newest?.runId;
}

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch {
    return undefined;
  }
}
