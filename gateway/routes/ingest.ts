import type { FastifyInstance, FastifyRequest } from 'fastify';
import { formatPosition, type Position } from '../../schemas/position.ts';
import { corpusSchema } from '../../schemas/primitives.ts';
import { issueSentence, type ProblemCode, ProblemError } from '../../schemas/problems.ts';
import { type IngestQuery, type IngestReply, ingestQuerySchema } from '../../schemas/requests/ingest.ts';
import { parseRequest } from '../../schemas/requests/parse.ts';
import { OutageError } from '../../streams/append.ts';
import type { GatewayDependencies, GatewayOptions } from '../dependencies.ts';
import { type AppendOutcome, appendEvents } from '../ingest/append-events.ts';
import { createIngestStatus } from '../ingest/ingest-status.ts';
import { createPipelineWatch } from '../ingest/pipeline-watch.ts';
import { type IngestEvent, readEvents } from '../ingest/read-events.ts';
import { type WaitItem, waitSearchable } from '../ingest/wait-searchable.ts';
import { gatewayLimits } from '../limits.ts';
import { streamFormatOf } from '../plugins/body.ts';
import type { PositionKeeper } from '../positions.ts';
import { bodyOf, positionHeaderLower } from '../replies.ts';
import { ingestStream, nothingAccepted } from './ingest-stream.ts';

interface IngestRoute {
  Params: { corpus: string };
}

/**
 * `POST /v1/ingest/<corpus>`: 202 when the documents are in the log, 200 when `wait=searchable` waited for them. A JSON
 * body is taken whole or not at all; of a stream (NDJSON, CSV) every good line is taken.
 */
export function ingestRoutes(
  app: FastifyInstance,
  options: GatewayOptions,
  dependencies: GatewayDependencies,
  positions: PositionKeeper,
): void {
  const closing = new AbortController();
  app.addHook('preClose', (done) => {
    closing.abort();
    done();
  });
  let streams = 0;
  const watch = createPipelineWatch(dependencies.readPipeline, options, dependencies.clock);
  const askStatus = createIngestStatus(watch, dependencies, options.searchDeadlineMs);

  app.get<IngestRoute>('/v1/ingest/:corpus/status', (request) => askStatus(corpusOf(request.params.corpus)));

  app.post<IngestRoute>('/v1/ingest/:corpus', async (request, reply): Promise<IngestReply | Buffer> => {
    const corpus = corpusOf(request.params.corpus);
    const query = parseRequest(ingestQuerySchema, request.query);
    const idempotencyKey = idempotencyKeyOf(request);
    const format = streamFormatOf(request);
    if (format === undefined) {
      const pressure = watch.pressure();
      if (pressure !== undefined) throw pressure;
      const { status, body, position } = await ingestWhole(request, corpus, query, options, dependencies);
      notePosition(position);
      return answer(status, body);
    }
    if (streams >= gatewayLimits.streamsMax)
      throw new ProblemError('overloaded', `${streams} streams are being read already; try again shortly`);
    streams++;
    try {
      const ingest = {
        format,
        corpus,
        query,
        idempotencyKey,
        untilRoom: () => watch.untilRoom(closing.signal),
        closing: closing.signal,
      };
      const outcome = await ingestStream(request, ingest, options, dependencies);
      notePosition(outcome.position);
      return outcome.status === 400 ? nothingAccepted(reply, outcome.reply) : answer(outcome.status, outcome.reply);
    } finally {
      streams--;
    }

    function notePosition(position: Position): void {
      const text = formatPosition(position);
      positions.note(text);
      if (text !== '') reply.header(positionHeaderLower, text);
    }

    function answer<Body>(status: number, body: Body): Body {
      reply.code(status);
      return body;
    }
  });
}

async function ingestWhole(
  request: FastifyRequest<IngestRoute>,
  corpus: string,
  { wait }: IngestQuery,
  { defaultSpace, waitDeadlineMs: deadlineMs }: GatewayOptions,
  dependencies: GatewayDependencies,
): Promise<{ status: number; body: IngestReply; position: Position }> {
  const { traceId, traceparent } = request;
  const { clock, ingestLog, log } = dependencies;
  const idempotencyKey = idempotencyKeyOf(request);
  const events = await readEvents(bodyOf(request), { defaultSpace, clock });
  checkPayloads(events, ingestLog.payloadBytesMax());

  const outcome = await appendEvents(events, { corpus, traceId, traceparent, idempotencyKey }, dependencies);
  const accepted = acceptedOf(events, outcome);
  if (outcome.failure !== undefined) {
    if (!(outcome.failure instanceof OutageError)) log.error({ error: outcome.failure, traceId }, 'an append failed');
    throw appendProblem(outcome.failure, events, accepted);
  }
  if (wait === undefined) return { status: 202, body: accepted, position: {} };
  const items = itemsOf(corpus, events, outcome);
  const waited = await waitSearchable(items, { deadlineMs, cause: { traceId, traceparent }, accepted }, dependencies);
  const rejected = waited.rejected.map(({ version, ...row }) => ({ ...row, seq: version }));
  return { status: 200, body: { ...accepted, searchable: waited.searchable, rejected }, position: waited.position };
}

function corpusOf(text: string): string {
  const corpus = corpusSchema.safeParse(text);
  if (corpus.success) return corpus.data;
  throw new ProblemError('bad_request', `corpus: ${issueSentence(corpus.error)}`, { field: 'corpus' });
}

function idempotencyKeyOf(request: FastifyRequest<IngestRoute>): string | undefined {
  const value = request.headers['idempotency-key'];
  const key = Array.isArray(value) ? value.join(', ') : value;
  if (key === undefined || (key !== '' && key.length <= gatewayLimits.idempotencyKeyCharactersMax)) return key;
  const detail = `Idempotency-Key: must have 1 to ${gatewayLimits.idempotencyKeyCharactersMax} characters`;
  throw new ProblemError('bad_request', detail, { field: 'Idempotency-Key' });
}

/** An event that the log would refuse is refused here, before any other is appended. */
function checkPayloads(events: readonly IngestEvent[], payloadBytesMax: number): void {
  const bytesMax = payloadBytesMax - gatewayLimits.eventHeaderBytesMax;
  for (const [row, { payload }] of events.entries()) {
    if (payload.length <= bytesMax) continue;
    const detail = `row ${row} is an event of ${payload.length} bytes, and the log takes ${bytesMax}; nothing was appended`;
    throw new ProblemError('payload_too_large', detail, { row });
  }
}

type Accepted = Pick<IngestReply, 'accepted' | 'first_seq' | 'last_seq'>;

/** What of a request is in the log: documents, and the sequences of their events. Both sequences are 0 where none is. */
function acceptedOf(events: readonly IngestEvent[], { sequences }: AppendOutcome): Accepted {
  let accepted = 0;
  let first = Number.POSITIVE_INFINITY;
  let last = 0;
  for (const [index, sequence] of sequences.entries()) {
    if (sequence === undefined) continue;
    accepted += events[index]?.ids.length ?? 0;
    first = Math.min(first, sequence);
    last = Math.max(last, sequence);
  }
  return { accepted, first_seq: accepted === 0 ? 0 : first, last_seq: last };
}

function appendProblem(failure: unknown, events: readonly IngestEvent[], accepted: Accepted): ProblemError {
  const total = events.reduce((sum, { ids }) => sum + ids.length, 0);
  const code: ProblemCode = failure instanceof OutageError ? failure.code : 'internal';
  const why =
    failure instanceof OutageError ? failure.message : 'the log refused an event; the log of the gateway tells more';
  const detail =
    `${accepted.accepted} of ${total} documents are acknowledged, then: ${why}. Send the whole request again: ` +
    'what is there already is only said once more, and not even that with the same Idempotency-Key';
  return new ProblemError(code, detail, { ...accepted });
}

function itemsOf(corpus: string, events: readonly IngestEvent[], { sequences }: AppendOutcome): WaitItem[] {
  return events.flatMap(({ ids }, index) => ids.map((id) => ({ corpus, id, version: sequences[index] ?? 0 })));
}
