import type { IndexRebuildRun } from '../../schemas/events/lines.ts';
import { defaultPlaybookCorpus } from '../../schemas/events/playbook.ts';
import { numberFlag } from '../command/arguments.ts';
import { command } from '../command/define.ts';
import { CommandError, usageError } from '../command/errors.ts';
import { gatewayArguments, openGateway } from '../command/gateway.ts';
import { operatorEnvironment } from '../command/log-access.ts';
import { exitCodes } from '../exit-codes.ts';
import { createProgress, formatDuration, type Progress } from '../progress.ts';
import { runTask } from '../rebuild/run-task.ts';
import { untilServed } from '../rebuild/served.ts';

export default command({
  summary: 'Throws an index away: builds it anew from the log, aside, and lets the new one take over.',
  examples: [
    'rebuild --corpus workers --compare',
    'rebuild --corpus playbook_memory --playbooks',
    'rebuild --corpus workers --as-of 2026-11-17T09:00:00Z --name last-tuesday',
    'rebuild --corpus workers --until-seq 4031 --name before-the-import',
  ],
  args: {
    corpus: { type: 'string', required: true, description: 'The corpus whose index is rebuilt.' },
    playbooks: { type: 'boolean', description: 'The corpus is one of playbooks ("playbook_memory").' },
    compare: { type: 'boolean', description: 'Switch only where digest and live digest are equal; else exit code 5.' },
    force: { type: 'boolean', description: 'With --compare: switch also where they differ.' },
    'until-seq': { type: 'string', valueHint: 'N', description: 'As the documents were after INGEST sequence N.' },
    'as-of': {
      type: 'string',
      valueHint: 'TIME',
      description: 'As everything was at a time, such as 2026-11-17T09:00:00Z.',
    },
    name: {
      type: 'string',
      valueHint: 'SIDE',
      description: 'Name of the side index of the past; "search --index SIDE" asks it.',
    },
    ...gatewayArguments,
  },
  async run({ args, output }) {
    const side = readSide(args);
    const environment = await operatorEnvironment(args['data-dir']);
    const progress = progressLines(output.progress);
    const result = await runTask(
      {
        task: 'rebuild',
        corpus: args.corpus,
        kind: args.playbooks === true || args.corpus === defaultPlaybookCorpus ? 'playbooks' : 'documents',
        compare: args.compare === true,
        force: args.force === true,
        side,
      },
      environment,
      progress,
    );
    if (result.say !== 'rebuilt') throw new Error(`a rebuild answered "${result.say}"`);
    const { runs } = result;
    if (runs.length === 0) throw nothingThere(args.corpus);
    const taken = runs.filter((run) => run.outcome !== 'differs');
    const client = await openGateway(args);
    for (const run of taken) await untilServed(client, run);
    output.answer({ runs }, runs.map(runText).join('\n\n'));
    return taken.length === runs.length ? exitCodes.done : exitCodes.differs;
  },
});

interface SideFlags {
  readonly 'until-seq'?: string | undefined;
  readonly 'as-of'?: string | undefined;
  readonly name?: string | undefined;
}

function readSide(flags: SideFlags): { name: string; untilSequence?: number; asOfMs?: number } | null {
  const { name, 'until-seq': untilText, 'as-of': asOfText } = flags;
  if (name === undefined && untilText === undefined && asOfText === undefined) return null;
  if (name === undefined) throw usageError('an index of the past needs a name', 'Give it one with --name.');
  if ((untilText === undefined) === (asOfText === undefined))
    throw usageError('an index of the past needs one moment', 'Give either --until-seq N or --as-of TIME.');
  const untilSequence = numberFlag('until-seq', untilText, { min: 0, max: Number.MAX_SAFE_INTEGER });
  if (untilSequence !== undefined) return { name, untilSequence };
  const asOfMs = Date.parse(asOfText ?? '');
  if (Number.isNaN(asOfMs)) throw usageError(`"${asOfText}" is not a time`, 'Write it as 2026-11-17T09:00:00Z.');
  return { name, asOfMs };
}

function nothingThere(corpus: string): CommandError {
  return new CommandError(exitCodes.absent, {
    happened: `the log has nothing of "${corpus}"`,
    means: 'There was nothing to build an index from.',
    remedy: 'See "lakehouse status" for the corpora that there are; --playbooks is for a corpus of playbooks.',
  });
}

const labels = {
  embed: 'embedding',
  playbooks: 'copying playbooks',
  fold: 'folding',
  graph: 'linking',
  compare: 'comparing',
  snapshot: 'saving',
  switch: 'switching',
} as const;

/** A line of progress for each step, one after another. */
export function progressLines(stream: Parameters<typeof createProgress>[0]['stream']) {
  let step = '';
  let line: Progress | undefined;
  return (progress: { step: string; done: number; total: number }) => {
    if (progress.step !== step) {
      step = progress.step;
      const label = labels[step as keyof typeof labels] ?? step;
      line = createProgress({ label, total: progress.total, stream, now: () => performance.now() });
    }
    line?.update(progress.done);
    if (progress.done === progress.total) line?.finish();
  };
}

function runText(run: IndexRebuildRun): string {
  const compared =
    run.equal === null ? 'not compared' : run.equal ? 'equal to the live index' : 'NOT equal to the live index';
  const recall =
    run.recall_at_10 === null
      ? 'nothing to measure'
      : `${run.recall_at_10.toFixed(4)} over ${run.recall_queries} queries`;
  const outcomes = {
    switched: 'the rebuilt index answers now',
    built: `ask it with: search ... --index ${run.side}`,
    differs: 'the live index was left in place; --force switches all the same',
    failed: run.error ?? 'failed',
  };
  return [
    `${run.corpus} (${run.kind}, ${run.space}) rebuilt in ${formatDuration(run.duration_ms)}, ${Math.round(run.events_per_second)} events/s`,
    `  documents  ${run.documents.live} alive, ${run.documents.tombstones} deleted`,
    `  digest     ${run.digest}`,
    `  compared   ${compared}`,
    `  recall@10  ${recall}`,
    `  outcome    ${outcomes[run.outcome]}`,
  ].join('\n');
}
