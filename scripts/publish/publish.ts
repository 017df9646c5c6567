import { randomUUID } from 'node:crypto';
import type { GatewayClient } from '../../gateway/client/client.ts';
import { GatewayError } from '../../gateway/client/errors.ts';
import type { Clock } from '../../streams/clock.ts';
import { CommandError } from '../command/errors.ts';
import { explain } from '../command/explain.ts';
import { formatCount } from '../command/format.ts';
import type { Output } from '../command/output.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { createProgress, formatDuration } from '../progress.ts';
import type { SourcedDocument } from './documents.ts';
import { SendError, type SendOptions, type SendReport, sendDocuments } from './send.ts';

const rejectedShownMax = 10;

export interface PublishOptions {
  readonly client: GatewayClient;
  readonly corpus: string;
  readonly documents: Iterable<SourcedDocument> | AsyncIterable<SourcedDocument>;
  readonly total: number;
  readonly waitSearchable: boolean;
  readonly output: Output;
  readonly clock: Clock;
  /** Keys and a notebook for a run that another may continue; else every run stands alone. */
  readonly run?: Pick<SendOptions, 'newKey' | 'onBatch'>;
}

/**
 * Sends documents to the gateway, with progress on stderr, and answers with what was appended.
 * @throws CommandError where a batch fails: with the place of the row that the gateway named, and what went before
 */
export async function publishDocuments(options: PublishOptions): Promise<ExitCode> {
  const { client, corpus, output, clock, total } = options;
  const startedAtMs = clock.monotonicMs();
  const progress = createProgress({ label: 'documents', total, stream: output.progress, now: clock.monotonicMs });
  let report: SendReport;
  try {
    report = await sendDocuments({
      ...options,
      newKey: () => randomUUID(),
      ...options.run,
      onProgress: progress.update,
    });
  } catch (error) {
    throw error instanceof SendError ? sendFailure(error) : error;
  } finally {
    progress.finish();
  }
  const elapsedMs = clock.monotonicMs() - startedAtMs;
  const document = { corpus, ...report, elapsed_ms: Math.round(elapsedMs), gateway: client.url };
  output.answer(document, reportText(corpus, report, elapsedMs));
  return report.rejected.length === 0 ? exitCodes.done : exitCodes.failed;
}

function reportText(corpus: string, report: SendReport, elapsedMs: number): string {
  if (report.accepted === 0) return `Nothing to append to "${corpus}".`;
  const rate = formatCount(report.accepted / Math.max(elapsedMs / 1_000, 0.001));
  const searchable = report.searchable === null ? '' : `, ${formatCount(report.searchable)} of them can be found now`;
  const lines = [
    `${formatCount(report.accepted)} documents appended to "${corpus}" in ${formatDuration(elapsedMs)} (${rate} a second), INGEST ${report.first_seq} to ${report.last_seq}${searchable}.`,
  ];
  for (const { id, reason, message } of report.rejected.slice(0, rejectedShownMax))
    lines.push(`rejected: ${id}: ${reason}: ${message}`);
  if (report.rejected.length > rejectedShownMax)
    lines.push(`... and ${report.rejected.length - rejectedShownMax} more`);
  return lines.join('\n');
}

function sendFailure(error: SendError): CommandError {
  const { exitCode, failure } = explain(error.cause);
  const place = placeOf(error);
  const appended = error.before.accepted;
  return new CommandError(
    place === undefined ? exitCode : exitCodes.failed,
    {
      happened: place === undefined ? failure.happened : `${place}: ${failure.happened}`,
      means: `${formatCount(appended)} documents before it were appended; of its batch of ${error.batch.length}, ${appendedOf(error.cause)}. ${failure.means}`,
      remedy: `${failure.remedy} Sending documents again that are there already does no harm.`,
    },
    { cause: error },
  );
}

/** Where the row stands that the gateway named. */
function placeOf(error: SendError): string | undefined {
  const row = error.cause instanceof GatewayError ? error.cause.problem.row : undefined;
  return typeof row === 'number' ? error.batch[row]?.place : undefined;
}

/** How many of the batch that failed are in the log. */
function appendedOf(cause: unknown): string {
  if (!(cause instanceof GatewayError)) return 'it is not known how many';
  const { accepted, status } = cause.problem;
  if (typeof accepted === 'number') return formatCount(accepted);
  return status < 500 ? 'none' : 'it is not known how many';
}
