import { type Msg, headers as newHeaders, type Service } from 'nats';
import { formatPosition, type Position, parsePosition, positionHeader } from '../schemas/position.ts';
import { isTraceId } from '../schemas/primitives.ts';
import { type Problem, ProblemError, problem } from '../schemas/problems.ts';
import { readTraceparent, traceparentHeader } from '../schemas/traceparent.ts';
import { OutageError } from './append.ts';
import { decodeFrames, encodeFrames, type FrameDraft, headerLines, isFramed } from './batch-frames.ts';
import type { LogConnection } from './connection.ts';
import type { RuntimeLog } from './logger.ts';
import { measured } from './measured.ts';
import { createOneATurn, type OneATurn } from './one-a-turn.ts';
import { traceHeader } from './trace-headers.ts';

export const deadlineHeader = 'X-Lakehouse-Deadline-Ms';
export const requestDeadlineDefaultMs = 10_000;

export interface ServiceRequest {
  readonly body: Uint8Array;
  /** What has to have been folded before this is answered. */
  readonly position: Position;
  readonly traceId: string | undefined;
  /** W3C Trace Context of whoever asks, to be handed on; undefined where it is malformed or was not sent. */
  readonly traceparent: string | undefined;
  /** When the caller stops waiting, on the monotonic clock. */
  readonly deadlineAtMs: number;
}

export interface ServiceResponse {
  readonly body: Uint8Array | string;
  /** How far whoever reads this has read at least. */
  readonly position?: Position;
}

/** Answers a request, now or later. Throws `ProblemError` for what the caller is to see. */
export type ServiceHandler = (request: ServiceRequest) => ServiceResponse | Promise<ServiceResponse>;

export interface ServiceOptions {
  readonly connection: LogConnection;
  /** Shown by `nats micro ls`. */
  readonly name: string;
  readonly version: string;
  readonly description: string;
  /** subject -> handler; all of one queue group, so that instances share the work. */
  readonly endpoints: Readonly<Record<string, ServiceHandler>>;
  readonly log: RuntimeLog;
  /** Requests that may be in work at once; more are answered with `overloaded`. */
  readonly requestsWaitingMax: number;
}

export interface RunningService {
  /** Leaves the queue group and waits, this long at most, until what was taken is answered. */
  stop(drainMs?: number): Promise<void>;
}

const stopDrainMs = 10_000;
/** Beyond this the bus keeps what arrives, and not this process. */
const batchesWaitingMax = 16;
/** What a message needs beside the body of its answer. */
const answerHeadBytes = 64 * 1024;
/** Longest text of an error in a header; the body tells all of it. */
const errorHeaderCharactersMax = 1_000;

/** Serves request-reply as a NATS service. Start it when the state that it answers from is caught up. */
export async function startService(options: ServiceOptions): Promise<RunningService> {
  const { connection, name, version, description, log } = options;
  const service: Service = await connection.nats.services.add({ name, version, description, queue: `${name}-workers` });
  void service.stopped.then((error) => {
    if (error) log.error({ error, service: name }, 'the service is no longer reachable');
  });
  const load: Load = {
    waiting: 0,
    batches: createOneATurn(batchesWaitingMax),
    answered: () => {},
    position: { text: '', value: {} },
    told: { position: {}, headers: {}, lines: '' },
  };
  for (const [subject, plain] of Object.entries(options.endpoints)) {
    const handler = measured(subject, plain, connection.telemetry, connection.clock);
    service.addEndpoint(subject.replaceAll('.', '-'), {
      subject,
      handler: (error, message) => {
        if (error) log.warn({ error, subject }, 'a request could not be received');
        else if (isFramed(message.data)) {
          load.batches.take(() => {
            answerBatch(message, handler, options, load);
            load.answered();
          });
        } else answerOne(message, handler, options, load);
      },
    });
  }
  // Whoever asks from now on finds it.
  await connection.nats.flush();
  return {
    stop: async (drainMs = stopDrainMs) => {
      await service.stop();
      const done = new AbortController();
      load.answered = () => {
        if (load.waiting === 0 && load.batches.waiting() === 0) done.abort();
      };
      load.answered();
      await connection.clock.sleep(drainMs, done.signal);
    },
  };
}

interface Load {
  waiting: number;
  /** Messages with several requests, of which nothing was read yet. */
  readonly batches: OneATurn;
  answered: () => void;
  /** The header read last and what it says: most requests carry that of the one before. */
  position: { readonly text: string; readonly value: Position | undefined };
  /** The position answered last, and how it is written: most answers have that of the one before. */
  told: { readonly position: Position; readonly headers: Readonly<Record<string, string>>; readonly lines: string };
}
interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | string;
}

function answerOne(message: Msg, handler: ServiceHandler, options: ServiceOptions, load: Load): void {
  const given = (name: string) => message.headers?.get(name) || undefined;
  const answer = attend(given, message.data, handler, options, load, (late) => respond(late));
  if (answer !== undefined) respond(answer);

  function respond({ body, headers: plain }: Answer): void {
    const headers = newHeaders();
    for (const [name, value] of Object.entries(plain)) headers.set(name, value);
    sendSafely(options, () => message.respond(body, { headers }));
  }
}

/** An answer that can not be sent (the connection is closed) is told; it must not end the process. */
function sendSafely({ log, name }: ServiceOptions, send: () => void): void {
  try {
    send();
  } catch (error) {
    log.warn({ error, service: name }, 'an answer could not be sent');
  }
}

/**
 * Answers that are ready at once travel together, as far as this many bytes or milliseconds; the others as they come.
 * Whoever asked reads 64 KiB at a time: a message beyond that is put together from pieces, in memory that is new each time.
 */
const groupBytesMax = 32 * 1024;
const groupMs = 1;

function answerBatch(message: Msg, handler: ServiceHandler, options: ServiceOptions, load: Load): void {
  const frames = decodeFrames(message.data);
  if (frames === undefined) {
    options.log.warn({ subject: message.subject }, 'a batch of requests can not be read and is dropped');
    return;
  }
  const { clock } = options.connection;
  let group: FrameDraft[] = [];
  let groupBytes = 0;
  let groupBegan = clock.monotonicMs();
  let responded = false;
  const respond = (answers: readonly FrameDraft[]) => {
    responded = true;
    sendSafely(options, () => message.respond(encodeFrames(answers)));
  };
  const send = () => {
    if (group.length > 0) respond(group);
    group = [];
    groupBytes = 0;
    groupBegan = clock.monotonicMs();
  };
  for (const { correlation, headers, body } of frames) {
    const given = (name: string) => headers[name];
    const answer = attend(given, body, handler, options, load, (late) => respond([draft(correlation, late, load)]));
    if (answer === undefined) continue;
    if (groupBytes + answer.body.length > groupBytesMax) send();
    group.push(draft(correlation, answer, load));
    groupBytes += answer.body.length;
    if (clock.monotonicMs() - groupBegan >= groupMs) send();
  }
  send();
  // All of it takes longer: whoever asked is told so, or would hold back what has gathered behind it.
  if (!responded) respond([]);
}

function draft(correlation: number, { status, headers, body }: Answer, { told }: Load): FrameDraft {
  return { correlation, status, headers: headers === told.headers ? told.lines : headerLines(headers), body };
}

/**
 * Lets the handler answer, and makes whatever comes of it an answer: returned where the handler is done at once, else
 * given to `later`.
 */
function attend(
  given: (name: string) => string | undefined,
  body: Uint8Array,
  handler: ServiceHandler,
  options: ServiceOptions,
  load: Load,
  later: (answer: Answer) => void,
): Answer | undefined {
  const { clock } = options.connection;
  if (load.waiting >= options.requestsWaitingMax)
    return failed(
      new ProblemError('overloaded', `${load.waiting} requests are waiting already; try again shortly`),
      options,
    );
  const position = readPosition(given(positionHeader) ?? '', load);
  if (position === undefined)
    return failed(
      new ProblemError('bad_request', `${positionHeader} must read like "PLAYBOOKS=12,VECTORS=4031"`),
      options,
    );
  const allowedMs = Number(given(deadlineHeader) ?? requestDeadlineDefaultMs);
  const request: ServiceRequest = {
    body,
    position,
    traceId: readTraceId(given(traceHeader)),
    traceparent: readTraceparent(given(traceparentHeader)),
    deadlineAtMs: clock.monotonicMs() + (Number.isFinite(allowedMs) ? allowedMs : requestDeadlineDefaultMs),
  };
  try {
    const response = handler(request);
    if (!(response instanceof Promise)) return succeeded(response, options, load);
    load.waiting++;
    void response
      .then(
        (answer) => succeeded(answer, options, load),
        (error: unknown) => failed(error, options),
      )
      .then(later)
      .finally(() => {
        load.waiting--;
        load.answered();
      });
    return undefined;
  } catch (error) {
    return failed(error, options);
  }
}

function readPosition(text: string, load: Load): Position | undefined {
  if (text !== load.position.text) load.position = { text, value: parsePosition(text) };
  return load.position.value;
}

/** A malformed trace id is let go: an event that carried it could not be read any more. */
function readTraceId(text: string | undefined): string | undefined {
  return text !== undefined && isTraceId(text) ? text : undefined;
}

function succeeded({ body, position }: ServiceResponse, options: ServiceOptions, load: Load): Answer {
  const bytesMax = (options.connection.nats.info?.max_payload ?? Number.POSITIVE_INFINITY) - answerHeadBytes;
  // A character takes three bytes at most: counting them is left to the few that come near.
  if (body.length * 3 > bytesMax && Buffer.byteLength(body) > bytesMax) {
    const detail = `the answer has ${Buffer.byteLength(body)} bytes where the bus takes ${bytesMax}; ask for less at once`;
    return failed(new ProblemError('internal', detail), options);
  }
  return { status: 200, headers: position === undefined ? {} : positionHeaders(position, load), body };
}

function positionHeaders(position: Position, load: Load): Readonly<Record<string, string>> {
  if (position !== load.told.position) {
    const headers = { [positionHeader]: formatPosition(position) };
    load.told = { position, headers, lines: headerLines(headers) };
  }
  return load.told.headers;
}

function failed(error: unknown, options: ServiceOptions): Answer {
  const shown = problemOf(error);
  if (shown.status === 500) options.log.error({ error, service: options.name }, 'a request failed');
  return {
    status: shown.status,
    headers: {
      'Nats-Service-Error-Code': String(shown.status),
      'Nats-Service-Error': shown.detail.slice(0, errorHeaderCharactersMax).replace(/\s+/g, ' '),
    },
    body: Buffer.from(JSON.stringify(shown), 'utf8'),
  };
}

/** An outage of the log is told as what it is: the caller may try again, which an internal error would not say. */
function problemOf(error: unknown): Problem {
  if (error instanceof ProblemError) return error.problem;
  if (error instanceof OutageError) return problem(error.code, error.message);
  return problem('internal', 'this request met an error of the system; the log of the worker tells more');
}
