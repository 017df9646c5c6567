import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gitCommit } from '../distillation/run/git-commit.ts';
import { auditFull } from './audit-full.ts';
import { baselineLogPath, loadLastBaseline } from './baseline-log.ts';
import { auditContextOf } from './context.ts';
import { type AuditOutcome, auditTaskSchema } from './process-protocol.ts';

/**
 * One audit in a process of its own: its memory and its load are not those of whoever asked for it, and it can be ended. It
 * knows no address and no credentials, and so can append nothing. The tests of the schemas belong to a checkout: their phase
 * is skipped here.
 */
async function audit(): Promise<AuditOutcome> {
  const { root } = auditTaskSchema.parse(JSON.parse(process.argv[2] ?? 'null'));
  // Above dist/workers/audit/.
  const projectRoot = fileURLToPath(new URL('../../../', import.meta.url));
  const report = await auditFull(auditContextOf(root, projectRoot, ''), {
    generatedAt: new Date().toISOString(),
    gitCommit: gitCommit(),
    prior: await loadLastBaseline(join(root, baselineLogPath)),
    progress: () => undefined,
  });
  return { say: 'audited', report };
}

const outcome = await audit().catch(
  (error: unknown): AuditOutcome => ({
    say: 'failed',
    message: error instanceof Error ? error.message : String(error),
  }),
);
process.stdout.write(`${JSON.stringify(outcome)}\n`);
process.exitCode = outcome.say === 'audited' ? 0 : 1;
