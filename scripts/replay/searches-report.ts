import type {
  ChangedSearch,
  ReplaySide,
  ResultChange,
  SearchReplayReport,
} from '../../schemas/distillation/search-replay.ts';
import type { Pair } from '../plot/scatter.ts';
import { scatterPlot } from '../plot/scatter.ts';
import { markdownTable, type Report } from '../write-report.ts';

const searchesShownMax = 100;
const resultsShownMax = 5;

/** What came of a replay, to be written down. */
export function searchReplayReport(report: SearchReplayReport): Report {
  const pairs = report.changes.flatMap(({ results }) => results.map(({ distance }): Pair => distance));
  return {
    json: report,
    markdown: searchReplayMarkdown(report),
    svg: scatterPlot('Distances of the results that changed', 'distance', pairs),
  };
}

function searchReplayMarkdown({ run, changes }: SearchReplayReport): string {
  const { older = 0, unreadable = 0, judged = 0 } = run.left_out;
  const left = changes.length - searchesShownMax;
  const sides = [run.before, run.against].filter((side) => side !== null);
  return [
    `# ${run.changed} of ${run.asked} logged searches are answered otherwise`,
    '',
    markdownTable(
      ['side', 'state', 'INGEST', 'PLAYBOOKS', 'policy'],
      sides.map(({ as_of, position, policy }, at) => [
        at === 0 ? 'before' : 'against',
        as_of,
        String(position.INGEST),
        String(position.PLAYBOOKS),
        policy,
      ]),
    ),
    '',
    `Recorded at ${run.recorded_at} as ${run.run_id}. Every search was asked of both sides with one vector and scanned exactly. ` +
      `Not answered on a side: ${run.unanswered}. Left out: ${older} older, ${unreadable} unreadable, ${judged} judged by a model.`,
    '',
    ...(changes.length === 0
      ? ['Nothing changed.']
      : [
          markdownTable(
            ['searched at', 'query', 'before', 'against', 'results that changed: rank (distance)'],
            changes.slice(0, searchesShownMax).map(row),
          ),
        ]),
    ...(left > 0 ? ['', `${left} more are in the JSON beside this.`] : []),
    '',
  ].join('\n');
}

function row(change: ChangedSearch): string[] {
  const { searched_at, query_text, results, results_left, before, against } = change;
  const left = results.length - resultsShownMax + results_left;
  const shown = results.slice(0, resultsShownMax).map(resultText);
  return [
    searched_at,
    query_text ?? '(a vector)',
    answerText(before),
    answerText(against),
    [...shown, ...(left > 0 ? [`and ${left} more`] : [])].join('; '),
  ];
}

function answerText({ problem, results, boosted, injected }: ChangedSearch['before']): string {
  return problem ?? `${results} results, ${boosted} boosted, ${injected} injected`;
}

/** One changed result: `w-43 2 (0.4449) -> 1 (0.2224)`. */
export function resultText({ id, rank, distance }: ResultChange): string {
  const place = (at: 0 | 1) => (rank[at] === null ? 'absent' : `${rank[at]} (${distance[at]?.toFixed(4)})`);
  return `${id} ${place(0)} -> ${place(1)}`;
}

export function sideText({ as_of, policy, position }: ReplaySide): string {
  return `${as_of} (INGEST ${position.INGEST}, PLAYBOOKS ${position.PLAYBOOKS}), ${policy}`;
}
