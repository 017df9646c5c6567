import { joinPositions, type Position } from '../../schemas/position.ts';
import { ProblemError } from '../../schemas/problems.ts';
import { waitItemsMax } from '../../schemas/requests/index.ts';
import { type IngestStreamReply, linesNamedMax, type RefusedLine } from '../../schemas/requests/ingest.ts';
import type { Space } from '../../schemas/space.ts';
import { OutageError } from '../../streams/append.ts';
import type { GatewayDependencies } from '../dependencies.ts';
import { gatewayLimits } from '../limits.ts';
import { appendEvents } from './append-events.ts';
import type { IngestEvent } from './read-events.ts';
import { readLine } from './read-line.ts';
import type { StreamRecord } from './stream-records.ts';
import { type WaitItem, waitSearchable } from './wait-searchable.ts';

export interface StreamRequest {
  readonly corpus: string;
  readonly traceId: string;
  readonly traceparent: string | undefined;
  readonly idempotencyKey: string | undefined;
  readonly defaultSpace: Space;
  /** Undefined where nobody waits until documents can be found; else for how long, for some thousands of them. */
  readonly waitDeadlineMs: number | undefined;
  readonly firstLine: number;
  /** Resolves when the log may be given more, or throws what its client is told instead. */
  readonly untilRoom: () => Promise<void>;
}

type StreamDependencies = Pick<
  GatewayDependencies,
  'client' | 'clock' | 'ingestLog' | 'isConnected' | 'newMessageId' | 'log'
>;

const { streamWindowLines: linesTogether } = gatewayLimits;

/** What a stream came to so far; its fields are those of the answer. */
interface Tally {
  accepted: number;
  first_seq: number;
  last_seq: number;
  refused: number;
  readonly refused_lines: RefusedLine[];
  /** Every line before it is in the log, or was refused. */
  next_line: number;
}

export interface StreamOutcome {
  readonly reply: IngestStreamReply;
  readonly position: Position;
}

/**
 * Appends the records of a stream as they come, in their order and a window at a time: what is read ahead and what is on
 * its way are bounded whatever the length of the stream. A record that can not become a document is told and left out.
 * @throws ProblemError with what was taken so far, and `next_line`: where to go on
 */
export async function streamEvents(
  records: AsyncIterable<readonly StreamRecord[]>,
  request: StreamRequest,
  dependencies: StreamDependencies,
): Promise<StreamOutcome> {
  const tally: Tally = {
    accepted: 0,
    first_seq: 0,
    last_seq: 0,
    refused: 0,
    refused_lines: [],
    next_line: request.firstLine,
  };
  const waits = startWaits(request, tally, dependencies);
  try {
    for await (const batch of records)
      for (let from = 0; from < batch.length; from += linesTogether) {
        await request.untilRoom();
        await appendBatch(batch.slice(from, from + linesTogether), request, tally, waits, dependencies);
      }
    const waited = await waits.finish();
    const { next_line: _nextLine, ...told } = tally;
    return { reply: { ...told, ...waited?.reply }, position: waited?.position ?? {} };
  } catch (error) {
    throw toldWith(error, tally);
  }
}

async function appendBatch(
  batch: readonly StreamRecord[],
  request: StreamRequest,
  tally: Tally,
  waits: Waits,
  dependencies: StreamDependencies,
): Promise<void> {
  const bytesMax = dependencies.ingestLog.payloadBytesMax() - gatewayLimits.eventHeaderBytesMax;
  const events: IngestEvent[] = [];
  const refused: RefusedLine[] = [];
  for (const record of batch) {
    const read = readLine(record, request.defaultSpace, bytesMax);
    if ('event' in read) events.push(read.event);
    else refused.push(read.refused);
  }
  const { sequences, failure } = await appendEvents(events, request, dependencies);
  let stoppedAt: number | undefined;
  for (const [index, { ids, row }] of events.entries()) {
    const sequence = sequences[index];
    if (sequence === undefined) stoppedAt ??= row;
    else await noteAppended(ids, sequence, request, tally, waits);
  }
  for (const one of refused) {
    if (stoppedAt !== undefined && one.line > stoppedAt) break;
    tally.refused++;
    if (tally.refused_lines.length < linesNamedMax) tally.refused_lines.push(one);
  }
  tally.next_line = stoppedAt ?? (batch.at(-1)?.line ?? tally.next_line - 1) + 1;
  if (failure === undefined) return;
  if (failure instanceof OutageError) throw new ProblemError(failure.code, failure.message);
  dependencies.log.error({ error: failure, traceId: request.traceId }, 'an append failed');
  throw new ProblemError('internal', 'the log refused an event; the log of the gateway tells more');
}

async function noteAppended(
  ids: readonly string[],
  sequence: number,
  { corpus }: StreamRequest,
  tally: Tally,
  waits: Waits,
): Promise<void> {
  tally.accepted += ids.length;
  // A line that was there already has an earlier sequence.
  tally.first_seq = tally.first_seq === 0 ? sequence : Math.min(tally.first_seq, sequence);
  tally.last_seq = Math.max(tally.last_seq, sequence);
  for (const id of ids) await waits.add({ corpus, id, version: sequence });
}

function toldWith(error: unknown, tally: Tally): unknown {
  if (!(error instanceof ProblemError)) return error;
  const { code, detail, type: _type, title: _title, status: _status, ...more } = error.problem;
  const sentence =
    `${detail}. ${tally.accepted} documents are acknowledged and ${tally.refused} lines were refused before line ` +
    `${tally.next_line}: go on from there (?first_line=${tally.next_line}, with the same Idempotency-Key)`;
  return new ProblemError(code, sentence, { ...more, ...tally });
}

interface Waits {
  add(item: WaitItem): Promise<void>;
  finish(): Promise<{ reply: Pick<IngestStreamReply, 'searchable' | 'rejected'>; position: Position } | undefined>;
}

/** Waits for some thousands of documents while the next are appended, so that no more than twice as many are remembered. */
function startWaits(
  { waitDeadlineMs: deadlineMs, traceId, traceparent }: StreamRequest,
  tally: Tally,
  dependencies: StreamDependencies,
): Waits {
  if (deadlineMs === undefined) return { add: async () => undefined, finish: async () => undefined };
  let items: WaitItem[] = [];
  let waiting: Promise<void> = Promise.resolve();
  let searchable = 0;
  let position: Position = {};
  const rejected: NonNullable<IngestStreamReply['rejected']> = [];
  const send = async () => {
    const sent = items;
    items = [];
    await waiting;
    waiting = waitSearchable(
      sent,
      { deadlineMs, cause: { traceId, traceparent }, accepted: { ...tally } },
      dependencies,
    ).then((outcome) => {
      searchable += outcome.searchable;
      position = joinPositions(position, outcome.position);
      for (const { version, ...row } of outcome.rejected)
        if (rejected.length < linesNamedMax) rejected.push({ ...row, seq: version });
    });
    // Whoever waits next learns of it.
    waiting.catch(() => undefined);
  };
  return {
    add: async (item) => {
      items.push(item);
      if (items.length >= waitItemsMax) await send();
    },
    finish: async () => {
      if (items.length > 0) await send();
      await waiting;
      return { reply: { searchable, rejected }, position };
    },
  };
}
