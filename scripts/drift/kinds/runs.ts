import type { DriftReport, RunSummary } from '../../../schemas/distillation/receipts.ts';
import { readRun, runIds } from '../../../workers/distillation/run/run.ts';
import { exitCodes } from '../../exit-codes.ts';
import { linePlot } from '../../plot/lines.ts';
import { nothingToCompare } from '../nothing.ts';
import type { Told } from '../told.ts';

const shownMax = 20;

interface EndedRun {
  readonly summary: RunSummary;
  readonly drift: DriftReport;
}

/** Each run of distillation beside the one before it. */
export async function runs(root: string): Promise<Told> {
  const found: EndedRun[] = [];
  for (const runId of await runIds(root)) {
    const run = await readRun(root, runId);
    if (run !== undefined) found.push({ summary: run.summary, drift: run.drift });
  }
  found.sort((left, right) => (left.drift.generated_at < right.drift.generated_at ? -1 : 1));
  const newest = found.at(-1);
  if (newest === undefined) throw nothingToCompare('there is no run yet', '"lakehouse distill run-all" makes one.');
  const shown = found.slice(-shownMax);
  const counts = {
    'accepted by the rules': ({ stages }: RunSummary) => stages.find(({ stage }) => stage === 'score')?.accepted ?? 0,
    playbooks: ({ datasets }: RunSummary) => datasets.rag,
    'training samples': ({ datasets }: RunSummary) => datasets.sft,
    skipped: ({ total_skipped }: RunSummary) => total_skipped,
  };
  return {
    title: 'Runs of distillation',
    json: { runs: found.map(({ drift }) => drift) },
    sentences: [`the newest of ${found.length} runs is ${newest.drift.severity}`],
    tables: [
      {
        columns: [{ title: 'run' }, { title: 'against' }, { title: 'severity' }, { title: 'flags' }],
        rows: shown.map(({ drift: { run_id, prior_run_id, severity, flags } }) => [
          run_id,
          prior_run_id ?? '-',
          severity,
          flags.join(', '),
        ]),
      },
    ],
    svg: linePlot(
      'Rows from one run to the next',
      'run',
      shown.map(({ summary }) => summary.run_id),
      Object.entries(counts).map(([name, count]) => ({ name, values: shown.map(({ summary }) => count(summary)) })),
    ),
    exitCode: newest.drift.severity === 'alert' ? exitCodes.differs : exitCodes.done,
  };
}
