import type { GatewayClient } from '../../gateway/client/client.ts';
import type { ReembedRun } from '../../schemas/events/lines.ts';
import { systemClock } from '../../streams/clock.ts';
import { command } from '../command/define.ts';
import { CommandError, usageError } from '../command/errors.ts';
import { gatewayArguments, openGateway } from '../command/gateway.ts';
import { operatorEnvironment } from '../command/log-access.ts';
import { exitCodes } from '../exit-codes.ts';
import { formatDuration } from '../progress.ts';
import { runTask } from '../rebuild/run-task.ts';
import { progressLines } from './rebuild.ts';

export default command({
  summary: 'Embeds a corpus with another model, beside the old, compares the two, and lets the new one answer.',
  examples: [
    'reembed --corpus workers --model nomic-embed-text',
    'reembed --corpus workers --model nomic-embed-text --drop-old',
    'reembed --corpus workers --drop all-minilm-l6-v2@384',
  ],
  args: {
    corpus: { type: 'string', required: true, description: 'The corpus that is embedded anew.' },
    model: { type: 'string', description: 'A model that is offered: LAKEHOUSE_EMBEDDER or LAKEHOUSE_EMBED_MODELS.' },
    force: { type: 'boolean', description: 'Switch also where documents are missing in the new space.' },
    'drop-old': { type: 'boolean', description: 'Drop the other spaces of the corpus when it has switched.' },
    drop: { type: 'string', valueHint: 'SPACE', description: 'Only drop a space that the corpus does not answer in.' },
    ...gatewayArguments,
  },
  async run({ args, output }) {
    const { corpus, model, drop } = args;
    if ((model === undefined) === (drop === undefined))
      throw usageError('it is not said what to do', 'Give either --model MODEL or --drop SPACE.');
    const environment = await operatorEnvironment(args['data-dir']);
    const progress = progressLines(output.progress);
    const task =
      drop !== undefined
        ? ({ task: 'drop-space', corpus, space: drop } as const)
        : ({
            task: 'reembed',
            corpus,
            model: model ?? '',
            force: args.force === true,
            dropOld: args['drop-old'] === true,
          } as const);
    const result = await runTask(task, environment, progress);
    if (result.say === 'dropped') {
      output.answer({ corpus, dropped: result.space }, `${corpus} is no longer held in ${result.space}`);
      return exitCodes.done;
    }
    if (result.say !== 'reembedded') throw new Error(`a re-embedding answered "${result.say}"`);
    const { run } = result;
    if (run.outcome === 'switched') await untilServing(await openGateway(args), run);
    output.answer({ run }, runText(run));
    return run.outcome === 'switched' ? exitCodes.done : exitCodes.differs;
  },
});

const lookEveryMs = 100;
const deadlineMs = 120_000;

/** Waits until the index worker that answers does so in the new space. */
export async function untilServing(client: GatewayClient, { corpus, space }: ReembedRun): Promise<void> {
  const deadline = systemClock.monotonicMs() + deadlineMs;
  for (;;) {
    const { indexes } = await client.indexInfo();
    const named = indexes.find((one) => one.kind === 'documents' && one.corpus === corpus && one.space === space);
    if (named?.serving === true) return;
    if (systemClock.monotonicMs() > deadline)
      throw new CommandError(exitCodes.failed, {
        happened: `the index worker does not answer in ${space} after ${deadlineMs / 1_000} s`,
        means: 'The switch is on the log, and the old space answers until it is followed.',
        remedy: 'See the index worker\'s log, and "lakehouse status".',
      });
    await systemClock.sleep(lookEveryMs);
  }
}

const share = (part: number | null, asked: number, what: string) =>
  part === null ? `nothing to compare (${what})` : `${part.toFixed(4)} over ${asked} ${what}`;

function runText(run: ReembedRun): string {
  const outcome =
    run.outcome === 'switched'
      ? `${run.corpus} answers in ${run.space}`
      : `${run.missing} documents have no text, or the model refuses it: not switched; --force switches all the same`;
  return [
    `${run.corpus} embedded in ${run.space} in ${formatDuration(run.duration_ms)}`,
    `  documents   ${run.documents}, ${run.missing} missing; ${run.playbooks} playbooks`,
    `  overlap@10  ${share(run.overlap_at_10, run.queries, 'logged queries')}`,
    `  neighbours  ${share(run.neighbours_at_10, run.sampled, 'documents')}`,
    `  dropped     ${run.dropped.join(', ') || 'nothing'}`,
    `  outcome     ${outcome}`,
  ].join('\n');
}
