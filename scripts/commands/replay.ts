import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { GatewayError } from '../../gateway/client/errors.ts';
import type { TaskReplayRun } from '../../schemas/distillation/replay-run.ts';
import { appendLine } from '../../streams/append.ts';
import { layout } from '../../workers/distillation/files/layout.ts';
import { createChat } from '../../workers/replay/chat.ts';
import { playbookCorpusDefault, playbookOf, readPlaybooks } from '../../workers/replay/playbooks.ts';
import { replay } from '../../workers/replay/replay.ts';
import { type Retrieved, retrieveByWords, retrieveLimits } from '../../workers/replay/retrieve.ts';
import { command } from '../command/define.ts';
import { CommandError, usageError } from '../command/errors.ts';
import { dataDirectoryOf, gatewayArguments, openGateway } from '../command/gateway.ts';
import { openLog } from '../command/log-access.ts';
import { exitCodes } from '../exit-codes.ts';
import { replaySearchesCommand, searchesArguments } from '../replay/searches.ts';

export default command({
  summary:
    'Carries out a task with what was learned; or, "replay searches", asks logged searches again of two states or policies.',
  examples: [
    'replay "Find forklift operators for six weeks in Aurora" --dry-run',
    'replay "Review the change to the index" --retriever jaccard --allow-escalation',
    'replay "Review the change to the index" --no-retrieval --local-only --json',
    'replay searches --as-of 2026-11-17T09:00:00Z --against now',
    'replay searches --as-of INGEST=4031,PLAYBOOKS=12 --against PLAYBOOKS=13 --corpus workers',
    'replay searches --policy playbooks=off --output changed',
    'replay searches --policy without=pb-1126c52bd106df6b,boost=0.3',
  ],
  args: {
    task: { type: 'positional', required: true, description: 'The task, in a sentence or two; or the word searches.' },
    retriever: { type: 'string', default: 'matrix', description: 'matrix (by meaning) or jaccard (by shared words).' },
    corpus: {
      type: 'string',
      description: `Where "distill index" put the playbooks (${playbookCorpusDefault}); searches: only those of this corpus.`,
    },
    'no-retrieval': { type: 'boolean', description: 'Without playbooks.' },
    'local-only': { type: 'boolean', description: 'Never a model other than the local one.' },
    'allow-escalation': { type: 'boolean', description: 'Ask a larger model where the gate refuses the answer.' },
    'dry-run': { type: 'boolean', description: 'Ask no model: the answer is made of the playbooks.' },
    ...searchesArguments,
    ...gatewayArguments,
  },
  async run({ args, output }) {
    if (args.task === 'searches') return replaySearchesCommand(args, output);
    if (args.retriever !== 'matrix' && args.retriever !== 'jaccard')
      throw usageError(`"${args.retriever}" is no retriever`, 'Say matrix or jaccard.');
    if (args.task.trim() === '') throw usageError('the task is blank', 'Say in a sentence what is to be done.');
    const { connection, configuration } = await openLog(args['data-dir']);
    try {
      const { ollamaHost } = configuration.embedder;
      const { localModel, escalationModel } = configuration.replay;
      const run = await replay(
        {
          task: args.task,
          localOnly: args['local-only'] === true,
          allowEscalation: args['allow-escalation'] === true,
          noRetrieval: args['no-retrieval'] === true,
          dryRun: args['dry-run'] === true,
        },
        { local: localModel, escalation: escalationModel },
        {
          retriever: args.retriever,
          retrieve: args.retriever === 'matrix' ? byMeaning(args) : byWords(args['data-dir']),
          chat: createChat(ollamaHost),
          monotonicMs: () => performance.now(),
          recordedAt: new Date().toISOString(),
        },
      );
      const line = Buffer.from(JSON.stringify(run), 'utf8');
      await appendLine(connection, 'lakehouse.replay-run', line, `replay:${run.recorded_run_id}:${run.task_hash}`);
      output.answer(run, runText(run));
      return run.validation_result.passed ? exitCodes.done : exitCodes.failed;
    } finally {
      await connection.drain();
    }
  },
});

function byWords(dataDirectory: string | undefined): (task: string) => Promise<Retrieved[]> {
  const path = join(dataDirectoryOf(dataDirectory, process.env), layout.exports.rag);
  return (task) => retrieveByWords(task, readPlaybooks(path));
}

/** Matrix search over the playbooks' corpus; the score is what is left of a distance of 1. */
function byMeaning(
  args: { corpus?: string | undefined } & Parameters<typeof openGateway>[0],
): (task: string) => Promise<Retrieved[]> {
  return async (task) => {
    const client = await openGateway(args);
    const k = retrieveLimits.artifactsMax;
    const corpus = args.corpus ?? playbookCorpusDefault;
    const { results } = await client.search({ query_text: task, corpora: [corpus], k }).catch((error: unknown) => {
      throw error instanceof GatewayError && error.problem.code === 'corpus_not_found' ? notIndexed(corpus) : error;
    });
    return results.flatMap(({ metadata, distance }) => {
      const sample = playbookOf(metadata);
      return sample === undefined ? [] : [{ sample, score: 1 - distance }];
    });
  };
}

function notIndexed(corpus: string): CommandError {
  return new CommandError(exitCodes.absent, {
    happened: `there is no corpus "${corpus}" to retrieve playbooks from`,
    means: 'Playbooks can be found by meaning when they have been indexed. No model was asked.',
    remedy:
      'Run "lakehouse distill run-all" and "lakehouse distill index", or take --retriever jaccard or --no-retrieval.',
  });
}

function runText(run: TaskReplayRun): string {
  const { passed, reasons } = run.validation_result;
  return [
    `${passed ? 'passed' : 'FAILED'} the gate: ${run.model_used}${run.dry_run ? ' (dry run)' : ''}, ${run.retrieved_artifacts.length} playbooks, models tried: ${run.escalation_path.join(' -> ')}`,
    ...reasons.map((reason) => `  ${reason}`),
    '',
    run.model_response,
  ].join('\n');
}
