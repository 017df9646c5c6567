import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import type { SearchReplayReport } from '../../schemas/distillation/search-replay.ts';
import { formatSpace } from '../../schemas/space.ts';
import { appendLine } from '../../streams/append.ts';
import type { LogConnection } from '../../streams/connection.ts';
import { createLogger } from '../../streams/logging.ts';
import { createServiceClient } from '../../streams/service-client.ts';
import { createEmbedQueries } from '../../workers/query-vectors/embed-query.ts';
import { runIdOf } from '../../workers/replay/replay.ts';
import { parseState } from '../../workers/search-replay/moments.ts';
import { asLogged, parsePolicy, policyTerms } from '../../workers/search-replay/policy.ts';
import {
  failedRun,
  replaySearches,
  type SearchReplayRequest,
  searchesMax,
} from '../../workers/search-replay/replay-searches.ts';
import { numberOf } from '../command/arguments.ts';
import { usageError } from '../command/errors.ts';
import { dataDirectoryOf } from '../command/gateway.ts';
import { openLog } from '../command/log-access.ts';
import type { Output } from '../command/output.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { createProgress } from '../progress.ts';
import { writeReport } from '../write-report.ts';
import { resultText, searchReplayReport, sideText } from './searches-report.ts';

export const searchesArguments = {
  'as-of': {
    type: 'string',
    valueHint: 'STATE',
    description:
      'searches: the state that is asked first: now (the default), an INGEST sequence, "INGEST=N,PLAYBOOKS=M", or a time.',
  },
  against: {
    type: 'string',
    valueHint: 'STATE',
    description: 'searches: the state that it is held against (now; with --policy the same as --as-of).',
  },
  policy: {
    type: 'string',
    valueHint: 'POLICY',
    description: `searches: how --against ranks, terms separated by commas: ${Object.keys(policyTerms).join(', ')}.`,
  },
  'policy-before': { type: 'string', valueHint: 'POLICY', description: 'searches: how --as-of ranks (as-logged).' },
  limit: { type: 'string', default: '10000', description: 'searches: the newest so many that SEARCHES holds.' },
  output: {
    type: 'string',
    valueHint: 'DIRECTORY',
    description: 'searches: where JSON, Markdown and SVG are written (reports/replay in the data directory).',
  },
} as const;

type Flags = { readonly [Name in keyof typeof searchesArguments]?: string | undefined } & {
  readonly corpus?: string | undefined;
  readonly 'data-dir'?: string | undefined;
};

const shownMax = 10;

/** Asks logged searches again, of two states or under two policies. Every run is a row of REPLAY_RUNS. */
export async function replaySearchesCommand(flags: Flags, output: Output): Promise<ExitCode> {
  const request = readRequest(flags);
  const { connection, configuration } = await openLog(flags['data-dir']);
  const client = createServiceClient(connection);
  const recordedAt = new Date().toISOString();
  const moment = { recordedAt, runId: runIdOf(recordedAt) };
  const progress = createProgress({ label: 'asking again', stream: output.progress, now: () => performance.now() });
  try {
    const report = await replaySearches(request, {
      ...moment,
      connection,
      log: createLogger('replay', configuration.logLevel, process.stderr),
      configuredSpace: formatSpace(configuration.embedder.space),
      embedQueries: createEmbedQueries(client),
      retrieval: configuration.index.retrieval,
      hybrid: configuration.index.hybrid,
      onProgress: progress.update,
    });
    progress.finish();
    const directory = flags.output ?? join(dataDirectoryOf(flags['data-dir'], process.env), 'reports', 'replay');
    const written = await writeReport(directory, moment.runId, searchReplayReport(report));
    await keep(connection, report.run);
    output.answer({ ...report, written }, answerText(report, written));
    return exitCodes.done;
  } catch (error) {
    await keep(connection, failedRun(moment, error));
    throw error;
  } finally {
    client.close();
    await connection.drain();
  }
}

function readRequest(flags: Flags): SearchReplayRequest {
  const { policy, against, 'as-of': asOf = 'now', 'policy-before': policyBefore } = flags;
  const limit = numberOf('limit', flags.limit ?? String(searchesMax), { min: 1, max: searchesMax });
  try {
    const request: SearchReplayRequest = {
      states: [parseState(asOf), parseState(against ?? (policy === undefined ? 'now' : asOf))],
      policies: [policyOf(policyBefore), policyOf(policy)],
      corpus: flags.corpus,
      limit,
    };
    const [one, other] = request.states;
    if (one.name === other.name && request.policies[0].name === request.policies[1].name)
      throw new RangeError('both sides are the same');
    return request;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const terms = Object.entries(policyTerms).map(([term, meaning]) => `  ${term}: ${meaning}`);
    throw usageError(
      error.message,
      [
        'Name two states (--as-of 2026-11-17T09:00:00Z --against now) or a policy (--policy playbooks=off). Policies are:',
        ...terms,
      ].join('\n'),
    );
  }
}

function policyOf(text: string | undefined) {
  return text === undefined ? asLogged : parsePolicy(text);
}

async function keep(connection: LogConnection, run: SearchReplayReport['run']): Promise<void> {
  const line = Buffer.from(JSON.stringify(run), 'utf8');
  await appendLine(connection, 'lakehouse.replay-run', line, `replay-searches:${run.run_id}`);
}

function answerText({ run, changes }: SearchReplayReport, written: readonly string[]): string {
  const { before, against, left_out: left } = run;
  const shown = changes.slice(0, shownMax).map(({ query_text, results, results_left }) => {
    const more = results.length - 1 + results_left;
    const first = results[0] === undefined ? '' : resultText(results[0]);
    return `  ${query_text ?? '(a vector)'}: ${first}${more > 0 ? `, and ${more} more` : ''}`;
  });
  return [
    `${run.changed} of ${run.asked} logged searches are answered otherwise`,
    `  before   ${before === null ? '' : sideText(before)}`,
    `  against  ${against === null ? '' : sideText(against)}`,
    ...Object.entries(left).flatMap(([reason, count]) => (count > 0 ? [`  left out, ${reason}: ${count}`] : [])),
    ...shown,
    ...(changes.length > shownMax ? [`  and ${changes.length - shownMax} more`] : []),
    ...written.map((path) => `written: ${path}`),
  ].join('\n');
}
