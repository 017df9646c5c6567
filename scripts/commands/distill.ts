import { performance } from 'node:perf_hooks';
import { readRun, runIds } from '../../workers/distillation/run/run.ts';
import { playbookCorpusDefault } from '../../workers/replay/playbooks.ts';
import { command } from '../command/define.ts';
import { CommandError, usageError } from '../command/errors.ts';
import { dataDirectoryOf, gatewayArguments, openGateway } from '../command/gateway.ts';
import { textTable } from '../command/table.ts';
import { acceptance } from '../distillation/acceptance.ts';
import { indexPlaybooks } from '../distillation/index-playbooks.ts';
import { runActions, runDistillation } from '../distillation/run-distillation.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { createProgress } from '../progress.ts';

const actions = [...runActions, 'receipts', 'read', 'acceptance', 'index'] as const;

export default command({
  summary: 'Makes evidence, scores, playbooks, training samples and pairs of what EVIDENCE holds.',
  examples: [
    'distill run-all',
    'distill run-all --include-partial --run-id nightly-17',
    'distill build-evidence --run-id by-hand',
    'distill score',
    'distill export --include-review',
    'distill receipts',
    'distill read --run-id nightly-17',
    'distill acceptance',
    'distill index',
  ],
  args: {
    action: { type: 'positional', required: true, description: `${actions.join(', ')}.` },
    'run-id': {
      type: 'string',
      description:
        'The id of the run: for run-all a new one; for a stage the run that it belongs to (the one begun last that lacks it, else a new one); read: which run.',
    },
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
      default:
        return runDistillation(action, { ...args, root }, output);
    }
  },
});

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
