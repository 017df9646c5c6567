import { Empty, headers, NatsError, nuid, type PubAck } from 'nats';
import { catalog, type EventData, type EventName, type StreamName, type SubjectTokens } from '../schemas/catalog.ts';
import { decodeEvent, type EventOf } from '../schemas/decode.ts';
import { encodeEvent } from '../schemas/encode.ts';
import { isoTime } from './clock.ts';
import { type LogConnection, waitUntilConnected } from './connection.ts';
import { backoffMs } from './durations.ts';
import { subjectOf } from './subjects.ts';
import { type Cause, causeHeaders } from './trace-headers.ts';

/** Something that was needed is away; the same work will succeed later, so it is tried again and never rejected. */
export class OutageError extends Error {
  readonly code: 'unavailable' | 'store_full';
  constructor(code: 'unavailable' | 'store_full', message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'OutageError';
    this.code = code;
  }
}

/** Somebody else appended to the subject in between; nothing was written. */
export class ConflictError extends Error {}

const wrongLastSequence = 10071;
const storeFullCodes: ReadonlySet<number> = new Set([10047, 10077, 10023]);
const publishAttemptsMax = 5;
const publishRetryFirstMs = 100;
const publishRetryMaxMs = 2_000;
const conflictsMax = 100;
const directGetTimeoutMs = 5_000;
/** Each attempt waits so long for a connection that is lost: whatever is published meanwhile would be thrown away. */
const connectionWaitMs = 5_000;

export interface AppendOptions extends Cause {
  /** Derives from the sequences of what caused it, so that doing it twice appends once. */
  readonly messageId: string;
  readonly source: string;
  /** What the newest message of the subject has to be, 0 for none; else a `ConflictError`, and nothing is appended. */
  readonly lastSubjectSequence?: number;
}

export interface Appended {
  readonly sequence: number;
  /** The server had the message id already, within its window: the sequence is the first one's. */
  readonly duplicate: boolean;
}

/**
 * Appends one event. An acknowledgement that does not come leaves the outcome unknown, so the same message id is sent
 * again.
 * @throws OutageError where the log is away or full
 */
export async function append<Name extends EventName>(
  connection: LogConnection,
  name: Name,
  tokens: SubjectTokens<Name>,
  data: EventData<Name>,
  options: AppendOptions,
): Promise<Appended> {
  const payload = encode(connection, name, data, options);
  return appendBytes(connection, subjectOf(name, tokens), payload, options, options.lastSubjectSequence);
}

function encode<Name extends EventName>(
  connection: LogConnection,
  name: Name,
  data: EventData<Name>,
  options: AppendOptions,
): Buffer {
  const { messageId: id, source, traceId, traceparent } = options;
  return encodeEvent(name, data, { id, source, traceId, traceparent, time: isoTime(connection.clock) });
}

/**
 * As `append`, for a payload whose bytes are the event.
 * @param lastSubjectSequence what the newest message of the subject has to be, 0 for none
 * @throws ConflictError where it is another one; nothing was appended then
 */
export async function appendBytes(
  connection: LogConnection,
  subject: string,
  payload: Uint8Array,
  options: Omit<AppendOptions, 'source' | 'lastSubjectSequence'>,
  lastSubjectSequence?: number,
): Promise<Appended> {
  const messageHeaders = headers();
  for (const [header, value] of Object.entries(causeHeaders(options))) messageHeaders.set(header, value);
  for (let attempt = 1; ; attempt++) {
    await waitUntilConnected(connection, connectionWaitMs);
    try {
      const ack: PubAck = await connection.jetStream.publish(subject, payload, {
        msgID: options.messageId,
        headers: messageHeaders,
        ...(lastSubjectSequence === undefined ? {} : { expect: { lastSubjectSequence } }),
      });
      return { sequence: ack.seq, duplicate: ack.duplicate };
    } catch (error) {
      const failure = classify(error, subject);
      if (!(failure instanceof OutageError) || attempt >= publishAttemptsMax || failure.code === 'store_full')
        throw failure;
      await connection.clock.sleep(backoffMs(attempt, publishRetryFirstMs, publishRetryMaxMs));
    }
  }
}

function classify(error: unknown, subject: string): Error {
  if (!(error instanceof NatsError)) return error instanceof Error ? error : new Error(String(error));
  const code = error.api_error?.err_code ?? 0;
  if (code === wrongLastSequence) return new ConflictError(error.message);
  if (storeFullCodes.has(code))
    return new OutageError(
      'store_full',
      `the log is full for ${subject}: ${error.message}; raise the stream's byte limit`,
      error,
    );
  if (error.code === 'MAX_PAYLOAD_EXCEEDED' || error.code === 'PERMISSIONS_VIOLATION') return error;
  return new OutageError('unavailable', `the log did not take ${subject}: ${error.code} ${error.message}`, error);
}

/**
 * Appends to a subject that holds the newest state of one thing, unless what is there is as new already: reads the newest,
 * lets `decide` say what to write (undefined: nothing), and publishes with the sequence that was read as the expected last
 * one. On a conflict it reads again, from the stream's leader.
 * @param decide pure; may be called several times
 * @returns what was appended, or undefined where nothing was newer
 */
export async function appendIfNewer<Name extends EventName>(
  connection: LogConnection,
  name: Name,
  tokens: SubjectTokens<Name>,
  decide: (newest: EventData<Name> | undefined) => EventData<Name> | undefined,
  options: AppendOptions,
): Promise<Appended | undefined> {
  const subject = subjectOf(name, tokens);
  for (let conflicts = 0; conflicts < conflictsMax; conflicts++) {
    const newest = await readNewest(connection, name, subject, conflicts > 0);
    const data = decide(newest?.data);
    if (data === undefined) return undefined;
    try {
      const payload = encode(connection, name, data, options);
      return await appendBytes(connection, subject, payload, options, newest?.sequence ?? 0);
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error;
    }
  }
  throw new OutageError('unavailable', `${conflictsMax} writers in a row were faster on ${subject}`);
}

export interface Newest<Name extends EventName> {
  readonly sequence: number;
  readonly data: EventData<Name>;
}

/** The newest event of a subject, or undefined where there is none. */
export async function readNewest<Name extends EventName>(
  connection: LogConnection,
  name: Name,
  subject: string,
  fromLeader = false,
): Promise<Newest<Name> | undefined> {
  const newest = await readNewestEvent(connection, catalog[name].stream, subject, fromLeader);
  return newest === undefined ? undefined : { sequence: newest.sequence, data: newest.event.data as EventData<Name> };
}

/** As `readNewest`, of a subject on which events of several types are said. */
export async function readNewestEvent<Stream extends StreamName>(
  connection: LogConnection,
  stream: Stream,
  subject: string,
  fromLeader = false,
): Promise<{ sequence: number; event: EventOf<Stream> } | undefined> {
  const message = await lastMessage(connection, stream, subject, fromLeader);
  if (message === undefined) return undefined;
  const decoded = decodeEvent(stream, message.data, subject);
  if (!decoded.ok) throw new Error(`the newest event of ${subject} can not be read: ${decoded.message}`);
  return { sequence: message.seq, event: decoded.event };
}

/** The sequence of the newest message of a subject, whatever it says; 0 where there is none. */
export async function readNewestSequence(
  connection: LogConnection,
  stream: StreamName,
  subject: string,
): Promise<number> {
  return (await lastMessage(connection, stream, subject, true))?.seq ?? 0;
}

/**
 * A direct get is answered by any replica, which may be behind: the expected sequence of the publish that follows guards
 * against that, and the leader is asked once it did.
 */
async function lastMessage(
  connection: LogConnection,
  stream: string,
  subject: string,
  fromLeader: boolean,
): Promise<{ seq: number; data: Uint8Array } | undefined> {
  try {
    if (fromLeader) return await connection.manager.streams.getMessage(stream, { last_by_subj: subject });
    const reply = await connection.nats.request(`$JS.API.DIRECT.GET.${stream}.${subject}`, Empty, {
      timeout: directGetTimeoutMs,
    });
    const status = reply.headers?.code ?? 0;
    if (status === 404) return undefined;
    if (reply.headers === undefined || status >= 300)
      throw new OutageError('unavailable', `${subject} could not be read: ${status} ${reply.headers?.description}`);
    return { seq: Number(reply.headers.get('Nats-Sequence')), data: reply.data };
  } catch (error) {
    if (error instanceof NatsError && error.api_error?.code === 404) return undefined;
    throw classify(error, subject);
  }
}

/**
 * Appends one line to a log whose projection is a file.
 * @param lastSequence where the log has to end: these logs have one subject each
 * @throws ConflictError where it ends elsewhere
 * @throws RangeError where the payload has a line feed: it would become two lines
 */
export async function appendLine(
  connection: LogConnection,
  name: 'lakehouse.audit-baseline' | 'lakehouse.replay-run',
  line: Uint8Array,
  messageId: string,
  lastSequence?: number,
): Promise<Appended> {
  if (line.length === 0) throw new RangeError('an empty payload can not be a line');
  if (line.includes(0x0a)) throw new RangeError('the payload has a line feed: it can not be one line of a log');
  return appendBytes(connection, catalog[name].subject, line, { messageId }, lastSequence);
}

/** A message id for an event that nothing on the log caused: a person's or a producer's own. */
export function nextMessageId(): string {
  return nuid.next();
}
