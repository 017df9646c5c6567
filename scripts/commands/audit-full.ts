import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type AuditBaseline, auditBaselineSchema } from '../../schemas/events/lines.ts';
import { appendLine } from '../../streams/append.ts';
import { auditFull, baselineOf } from '../../workers/audit/audit-full.ts';
import { BaselineLogError, baselineLogPath, loadLastBaseline } from '../../workers/audit/baseline-log.ts';
import { auditMarkdown } from '../../workers/audit/markdown.ts';
import { gitCommit } from '../../workers/distillation/run/git-commit.ts';
import { runIdOf } from '../../workers/replay/replay.ts';
import { command } from '../command/define.ts';
import { CommandError } from '../command/errors.ts';
import { dataDirArgument, dataDirectoryOf } from '../command/gateway.ts';
import { openLog } from '../command/log-access.ts';
import { auditContext, schemaTestsCommandDefault } from '../distillation/audit-context.ts';
import { exitCodes } from '../exit-codes.ts';

export default command({
  summary: 'Audits what distillation left behind: eight phases, and the drift against the baseline before.',
  examples: ['audit-full', 'audit-full --append-baseline', 'audit-full --json', 'audit-full --schema-tests ""'],
  args: {
    'append-baseline': { type: 'boolean', description: 'Appends what was counted to AUDIT_BASELINES.' },
    out: { type: 'string', valueHint: 'FILE', description: 'Writes the report, Markdown, to a file too.' },
    'schema-tests': {
      type: 'string',
      valueHint: 'COMMAND',
      default: schemaTestsCommandDefault,
      description: 'What runs the tests of the schemas; "" skips that phase.',
    },
    ...dataDirArgument,
  },
  async run({ args, output }) {
    const root = dataDirectoryOf(args['data-dir'], process.env);
    const prior = await priorBaseline(join(root, baselineLogPath));
    const report = await auditFull(auditContext(root, args['schema-tests']), {
      generatedAt: new Date().toISOString(),
      gitCommit: gitCommit(),
      prior,
      progress: (phase) => output.note(`phase ${phase} ...`),
    });
    const text = auditMarkdown(report);
    if (args.out !== undefined) await writeFile(args.out, text);
    if (args['append-baseline'] === true) await appendBaseline(args['data-dir'], baselineOf(report));
    output.answer(report, text);
    return report.passed ? exitCodes.done : exitCodes.failed;
  },
});

async function priorBaseline(path: string): Promise<AuditBaseline | undefined> {
  try {
    return await loadLastBaseline(path);
  } catch (error) {
    if (!(error instanceof BaselineLogError)) throw error;
    throw new CommandError(
      exitCodes.failed,
      {
        happened: error.message,
        means: 'What is counted can not be compared with the baseline before, so nothing was audited.',
        remedy: 'The file is made of the stream AUDIT_BASELINES: see what that line says, and who appended it.',
      },
      { cause: error },
    );
  }
}

async function appendBaseline(dataDirectory: string | undefined, baseline: AuditBaseline): Promise<void> {
  const { connection } = await openLog(dataDirectory);
  try {
    const line = Buffer.from(JSON.stringify(auditBaselineSchema.parse(baseline)), 'utf8');
    await appendLine(connection, 'lakehouse.audit-baseline', line, `baseline:${runIdOf(baseline.recorded_at)}`);
  } finally {
    await connection.drain();
  }
}
