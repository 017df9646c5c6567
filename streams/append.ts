import { nuid } from 'nats';
import { catalog, type EventData, type EventName, type StreamName, type SubjectTokens } from '../schemas/catalog.ts';
import { decodeEvent, type EventOf } from '../schemas/decode.ts';
import { encodeEvent } from '../schemas/encode.ts';
import { isoTime } from './clock.ts';
import { backoffMs } from './durations.ts';
import { createExpectations, type Expectations } from './expectations.ts';
import { ConflictError, OutageError } from './log-errors.ts';
import { subjectOf } from './subjects.ts';
import { type Cause, causeHeaders } from './trace-headers.ts';
import { type Appended, type RuntimeConnection, waitUntilConnected } from './transport.ts';
import { createTurns, type Turns } from './turns.ts';

export { ConflictError, OutageError } from './log-errors.ts';
export type { Appended } from './transport.ts';

const publishAttemptsMax = 5;
const publishRetryFirstMs = 100;
const publishRetryMaxMs = 2_000;
const conflictsMax = 100;
/** Each attempt waits so long for a connection that is lost: whatever is published meanwhile would be thrown away. */
const connectionWaitMs = 5_000;

export interface AppendOptions extends Cause {
  /** Derives from the sequences of what caused it, so that doing it twice appends once. */
  readonly messageId: string;
  readonly source: string;
  /** What the newest message of the subject has to be, 0 for none; else a `ConflictError`, and nothing is appended. */
  readonly lastSubjectSequence?: number;
}

/**
 * Appends one event. An acknowledgement that does not come leaves the outcome unknown, so the same message id is sent
 * again.
 * @throws OutageError where the log is away or full
 */
export async function append<Name extends EventName>(
  connection: RuntimeConnection,
  name: Name,
  tokens: SubjectTokens<Name>,
  data: EventData<Name>,
  options: AppendOptions,
): Promise<Appended> {
  const payload = encode(connection, name, data, options);
  return appendBytes(connection, subjectOf(name, tokens), payload, options, options.lastSubjectSequence);
}

function encode<Name extends EventName>(
  connection: RuntimeConnection,
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
  connection: RuntimeConnection,
  subject: string,
  payload: Uint8Array,
  options: Omit<AppendOptions, 'source' | 'lastSubjectSequence'>,
  lastSubjectSequence?: number,
): Promise<Appended> {
  const { messageId } = options;
  const publication = { subject, payload, messageId, headers: causeHeaders(options), lastSubjectSequence };
  for (let attempt = 1; ; attempt++) {
    await waitUntilConnected(connection, connectionWaitMs);
    try {
      return await connection.transport.publish(publication);
    } catch (error) {
      if (!(error instanceof OutageError) || attempt >= publishAttemptsMax || error.code === 'store_full') throw error;
      await connection.clock.sleep(backoffMs(attempt, publishRetryFirstMs, publishRetryMaxMs));
    }
  }
}

/**
 * Appends to a subject that holds the newest state of one thing, unless what is there is as new already: reads the newest,
 * lets `decide` say what to write (undefined: nothing), and publishes with the sequence that was read as the expected last
 * one. On a conflict it reads again, from the stream's leader. Where nothing was there of the last subjects, nothing is
 * read first: the expected sequence of a new one is known.
 *
 * Over one connection, appends to one subject wait for one another. That saves conflicts; and the nodes of a cluster of
 * nats-server 2.9 compare the expected sequence before they agree on a message and not after, so that of two messages that
 * are under way at once both are taken, and the second one replaces what the first one said.
 * @param decide pure; may be called several times
 * @returns what was appended, or undefined where nothing was newer
 */
export function appendIfNewer<Name extends EventName>(
  connection: RuntimeConnection,
  name: Name,
  tokens: SubjectTokens<Name>,
  decide: (newest: EventData<Name> | undefined) => EventData<Name> | undefined,
  options: AppendOptions,
): Promise<Appended | undefined> {
  const subject = subjectOf(name, tokens);
  const { turns, expected } = writersOf(connection);
  return turns.take(subject, () => compareAndSet(connection, expected, name, subject, decide, options));
}

/** What those who append over one connection know of one another. */
interface Writers {
  readonly turns: Turns;
  readonly expected: Expectations<EventName>;
}

const writersOfConnections = new WeakMap<RuntimeConnection, Writers>();

function writersOf(connection: RuntimeConnection): Writers {
  const writers = writersOfConnections.get(connection) ?? { turns: createTurns(), expected: createExpectations() };
  writersOfConnections.set(connection, writers);
  return writers;
}

async function compareAndSet<Name extends EventName>(
  connection: RuntimeConnection,
  expected: Expectations<EventName>,
  name: Name,
  subject: string,
  decide: (newest: EventData<Name> | undefined) => EventData<Name> | undefined,
  options: AppendOptions,
): Promise<Appended | undefined> {
  const setWhere = async (newest: Newest<Name> | undefined): Promise<Appended | 'nothing newer' | 'conflict'> => {
    const data = decide(newest?.data);
    if (data === undefined) return 'nothing newer';
    try {
      const payload = encode(connection, name, data, options);
      return await appendBytes(connection, subject, payload, options, newest?.sequence ?? 0);
    } catch (error) {
      if (error instanceof ConflictError) return 'conflict';
      throw error;
    }
  };
  if (expected.isNew(name)) {
    const appended = await setWhere(undefined);
    if (typeof appended === 'object') return appended;
  }
  for (let conflicts = 0; conflicts < conflictsMax; conflicts++) {
    const newest = await readNewest(connection, name, subject, conflicts > 0);
    expected.found(name, newest !== undefined);
    const appended = await setWhere(newest);
    if (appended === 'nothing newer') return undefined;
    if (appended !== 'conflict') return appended;
  }
  throw new OutageError('unavailable', `${conflictsMax} writers in a row were faster on ${subject}`);
}

export interface Newest<Name extends EventName> {
  readonly sequence: number;
  readonly data: EventData<Name>;
}

/**
 * The newest event of a subject, or undefined where there is none. Any replica may have answered that is behind: the
 * expected sequence of a publish that follows guards against that, and the leader is asked once it did.
 */
export async function readNewest<Name extends EventName>(
  connection: RuntimeConnection,
  name: Name,
  subject: string,
  fromLeader = false,
): Promise<Newest<Name> | undefined> {
  const newest = await readNewestEvent(connection, catalog[name].stream, subject, fromLeader);
  return newest === undefined ? undefined : { sequence: newest.sequence, data: newest.event.data as EventData<Name> };
}

/** As `readNewest`, of a subject on which events of several types are said. */
export async function readNewestEvent<Stream extends StreamName>(
  connection: RuntimeConnection,
  stream: Stream,
  subject: string,
  fromLeader = false,
): Promise<{ sequence: number; event: EventOf<Stream> } | undefined> {
  const message = await connection.transport.newest(stream, subject, fromLeader);
  if (message === undefined) return undefined;
  const decoded = decodeEvent(stream, message.payload, subject);
  if (!decoded.ok) throw new Error(`the newest event of ${subject} can not be read: ${decoded.message}`);
  return { sequence: message.sequence, event: decoded.event };
}

/** The sequence of the newest message of a subject, whatever it says; 0 where there is none. */
export async function readNewestSequence(
  connection: RuntimeConnection,
  stream: StreamName,
  subject: string,
): Promise<number> {
  return (await connection.transport.newest(stream, subject, true))?.sequence ?? 0;
}

/**
 * Appends one line to a log whose projection is a file.
 * @param lastSequence where the log has to end: these logs have one subject each
 * @throws ConflictError where it ends elsewhere
 * @throws RangeError where the payload has a line feed: it would become two lines
 */
export async function appendLine(
  connection: RuntimeConnection,
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
