import { performance } from 'node:perf_hooks';
import { readEvidence } from '../../workers/distillation/evidence/read-evidence.ts';
import { type Gathered, gatherOwnLife } from '../../workers/distillation/own-life/gather.ts';
import { type RunResult, readRun, runAll, runIds } from '../../workers/distillation/run/run.ts';
import { summaryMarkdown } from '../../workers/distillation/run/summary-markdown.ts';
import { playbookCorpusDefault } from '../../workers/replay/playbooks.ts';
import { command } from '../command/define.ts';
import { CommandError, usageError } from '../command/errors.ts';
import { dataDirectoryOf, gatewayArguments, openGateway } from '../command/gateway.ts';
import { openLog } from '../command/log-access.ts';
import { textTable } from '../command/table.ts';
import { acceptance } from '../distillation/acceptance.ts';
import { lockDistillation } from '../distillation/directory-lock.ts';
import { indexPlaybooks } from '../distillation/index-playbooks.ts';
import { runContext } from '../distillation/run-context.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { createProgress } from '../progress.ts';

const actions = ['run-all', 'receipts', 'read', 'acceptance', 'index'] as const;

export default command({
  summary: 'Makes evidence, scores, playbooks, training samples and pairs of what EVIDENCE holds.',
  examples: [
    'distill run-all',
    'distill run-all --include-partial --run-id nightly-17',
    'distill receipts',
    'distill read --run-id nightly-17',
    'distill acceptance',
    'distill index',
  ],
  args: {
    action: { type: 'positional', required: true, description: 'run-all, receipts, read, acceptance or index.' },
    'run-id': { type: 'string', description: 'run-all: the id of the run (a new one); read: which run.' },
    'recorded-at': { type: 'string', valueHint: 'TIME', description: 'The time that all it writes carries (now).' },
    'include-review': { type: 'boolean', description: 'Playbooks also of rows that a person has yet to look at.' },
    'include-partial': { type: 'boolean', description: 'Training samples also of partially accepted rows.' },
    corpus: { type: 'string', default: playbookCorpusDefault, description: 'index: the corpus for the playbooks.' },
    ...gatewayArguments,
  },
  async run({ args, output }) {
    const action = actions.find((one) => one === args.action);
    const root = dataDirectoryOf(args['data-dir'], process.env);
    switch (action) {
      case undefined:
        throw usageError(`"${args.action}" is no action`, `Say one of ${actions.join(', ')}.`);
      case 'receipts': {
        const runs = await listRuns(root);
        output.answer({ runs }, runsText(runs));
        return exitCodes.done;
      }
      case 'read':
        return readOne(root, args['run-id'], output);
      case 'acceptance': {
        const report = await acceptance();
        output.answer(report, report.text);
        return report.passed ? exitCodes.done : exitCodes.failed;
      }
      case 'index': {
        const progress = createProgress({ label: 'indexing', stream: output.progress, now: () => performance.now() });
        const done = await indexPlaybooks(await openGateway(args), root, args.corpus, progress.update);
        progress.finish();
        output.answer(done, `${done.searchable} of ${done.documents} playbooks can be found in "${args.corpus}".`);
        return done.searchable === done.documents ? exitCodes.done : exitCodes.failed;
      }
      case 'run-all': {
        const options = {
          includeReview: args['include-review'] === true,
          includePartial: args['include-partial'] === true,
        };
        const context = runContext(args, root, output);
        const { connection } = await openLog(args['data-dir']);
        const release = lockDistillation(root);
        try {
          const gathered = await gatherOwnLife(connection, ownSources);
          output.note(`of this system's own life: ${gatheredText(gathered)}`);
          const { lines, unknown } = readEvidence(connection);
          const result = await runAll(lines, options, context);
          context.finish();
          for (const [stem, rows] of unknown) output.note(`${rows} rows of "${stem}" were left: no transform knows it`);
          output.answer(result, resultText(result));
          return result.drift.severity === 'alert' ? exitCodes.differs : exitCodes.done;
        } catch (error) {
          if (error instanceof RangeError) throw usageError(error.message, 'Give another --run-id, or none.');
          throw error;
        } finally {
          release();
          await connection.drain();
        }
      }
    }
  },
});

/** Who reports observations of this system itself: what others report is evidence. */
const ownSources: ReadonlySet<string> = new Set(['gateway', 'ingest', 'embed', 'index', 'playbook', 'observer']);

function gatheredText(gathered: Gathered): string {
  return Object.entries(gathered)
    .map(([stem, rows]) => `${rows} ${stem.replaceAll('_', ' ')}`)
    .join(', ');
}

interface ListedRun {
  readonly run_id: string;
  readonly recorded_at: string | null;
  readonly overall_passed: boolean | null;
  readonly run_hash: string | null;
}

/** Every run that left a folder; one that did not end has no summary. */
async function listRuns(root: string): Promise<ListedRun[]> {
  const listed: ListedRun[] = [];
  for (const run_id of await runIds(root)) {
    const summary = (await readRun(root, run_id))?.summary;
    const { recorded_at = null, overall_passed = null, run_hash = null } = summary ?? {};
    listed.push({ run_id, recorded_at, overall_passed, run_hash });
  }
  return listed;
}

function runsText(runs: readonly ListedRun[]): string {
  if (runs.length === 0) return 'There is no run yet: "lakehouse distill run-all" makes one.';
  return textTable(
    [{ title: 'run' }, { title: 'recorded at' }, { title: 'passed' }, { title: 'run hash' }],
    runs.map(({ run_id, recorded_at, overall_passed, run_hash }) => [
      run_id,
      recorded_at ?? 'did not end',
      overall_passed === null ? '-' : overall_passed ? 'yes' : 'NO',
      run_hash?.slice(0, 16) ?? '-',
    ]),
  );
}

async function readOne(
  root: string,
  runId: string | undefined,
  output: { answer(document: object, text: string): void },
): Promise<ExitCode> {
  if (runId === undefined) throw usageError('"read" needs to know which run', 'Give its id with --run-id.');
  const run = await readRun(root, runId);
  if (run === undefined)
    throw new CommandError(exitCodes.absent, {
      happened: `there is no run "${runId}" with a summary and all its receipts`,
      means: 'It never ran here, or it did not end.',
      remedy: 'See "lakehouse distill receipts" for the runs that there are.',
    });
  const lines = run.receipts.flatMap(({ stage, validation }) => validation.errors.map((error) => `${stage}: ${error}`));
  output.answer(run, [`run ${runId}, hash ${run.summary.run_hash}`, ...lines].join('\n'));
  return exitCodes.done;
}

function resultText({ summary, drift, folder }: RunResult): string {
  return `${summaryMarkdown(summary, drift)}\nReceipts: ${folder}`;
}
