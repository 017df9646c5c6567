import type { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Position } from '../../schemas/position.ts';
import { ProblemError, problem } from '../../schemas/problems.ts';
import type { IngestQuery, IngestStreamReply } from '../../schemas/requests/ingest.ts';
import type { GatewayDependencies, GatewayOptions } from '../dependencies.ts';
import { bodyChunks } from '../ingest/body-chunks.ts';
import { csvRecords } from '../ingest/csv-records.ts';
import { streamEvents } from '../ingest/stream-events.ts';
import { ndjsonRecords, type RecordOptions } from '../ingest/stream-records.ts';
import { gatewayLimits } from '../limits.ts';
import { type StreamFormat, takeAnyTime, takeUsualTime } from '../plugins/body.ts';
import { problemBody } from '../replies.ts';

export interface StreamIngest {
  readonly format: StreamFormat;
  readonly corpus: string;
  readonly query: IngestQuery;
  readonly idempotencyKey: string | undefined;
  /** Resolves when the log may be given more, or throws what its client is told instead. */
  readonly untilRoom: () => Promise<void>;
  /** Aborts when the gateway closes. */
  readonly closing: AbortSignal;
}

/**
 * Appends a body of any length while it comes in. 202 (200 where it was waited for) when every line became a document,
 * 207 when some did and some were refused, 400 when none did.
 */
export async function ingestStream(
  request: FastifyRequest,
  ingest: StreamIngest,
  { bodyBytesMax, defaultSpace, waitDeadlineMs }: GatewayOptions,
  dependencies: GatewayDependencies,
): Promise<{ status: number; reply: IngestStreamReply; position: Position }> {
  const { query, format } = ingest;
  const body = request.body as Readable;
  const lineDefault = format === 'csv' ? 2 : 1;
  const firstLine = query.first_line ?? lineDefault;
  const record: RecordOptions = {
    recordBytesMax: bodyBytesMax,
    // The header stands before the first line.
    firstLine: format === 'csv' ? firstLine - 1 : firstLine,
    holding: (bytes) => {
      if (!request.bodyShare.resize(bytes)) throw new ProblemError('overloaded', memoryTaken);
    },
  };
  const { socket } = request.raw;
  takeAnyTime(socket);
  try {
    const chunks = bodyChunks(body, { idleMs: gatewayLimits.streamIdleMs, closing: ingest.closing });
    const records = format === 'csv' ? csvRecords(chunks, query, record) : ndjsonRecords(chunks, record);
    const { reply, position } = await streamEvents(
      records,
      {
        ...ingest,
        firstLine,
        defaultSpace,
        traceId: request.traceId,
        traceparent: request.traceparent,
        waitDeadlineMs: query.wait === undefined ? undefined : waitDeadlineMs,
      },
      dependencies,
    );
    return { status: statusOf(reply, query.wait !== undefined), reply, position };
  } finally {
    request.bodyShare.resize(0);
    letFlow(request);
  }
}

const memoryTaken = 'the bodies that are in work take the bytes that they may (LAKEHOUSE_BODIES_BYTES_MAX)';

function statusOf({ accepted, refused }: IngestStreamReply, waited: boolean): number {
  if (refused === 0) return waited ? 200 : 202;
  return accepted === 0 ? 400 : 207;
}

/** The answer to a stream of which nothing became a document. */
export function nothingAccepted(reply: FastifyReply, { refused, refused_lines }: IngestStreamReply): Buffer {
  const [first] = refused_lines;
  const detail = `all ${refused} lines were refused and nothing was appended; line ${first?.line}: ${first?.reason}`;
  return problemBody(reply, problem('invalid_document', detail, { accepted: 0, refused, refused_lines }));
}

/** What is left of a body is read and thrown away, for a while: a client that still sends would not read its answer. */
function letFlow({ raw }: FastifyRequest): void {
  const { socket } = raw;
  takeUsualTime(socket);
  if (raw.readableEnded || raw.destroyed) return;
  const linger = setTimeout(() => socket.destroy(), gatewayLimits.streamLingerMs);
  linger.unref();
  raw.once('close', () => clearTimeout(linger)).once('end', () => clearTimeout(linger));
  raw.resume();
}
