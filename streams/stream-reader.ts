import { NatsError } from 'nats';
import type { StreamName } from '../schemas/catalog.ts';
import type { LogConnection } from './connection.ts';
import { type Cause, causeOf } from './trace-headers.ts';
import type { RuntimeConnection } from './transport.ts';

/** Which log this is and what it holds: a checkpoint of another one, or of one that was set back, is worth nothing. */
export interface StreamState {
  /** When the stream was made, in milliseconds since 1970: a stream that was deleted and made anew has another. */
  readonly createdAtMs: number;
  /** The oldest sequence that is there; 0 where nothing ever was. */
  readonly firstSequence: number;
  readonly lastSequence: number;
}

const messageNotFound = 10037;

/** Asks the server what a stream is and holds. Throws `NatsError` where it does not answer. */
export async function readStreamState(connection: RuntimeConnection, stream: StreamName): Promise<StreamState> {
  const { createdAt, firstSequence, lastSequence } = await connection.transport.streamExtent(stream);
  return { createdAtMs: Date.parse(createdAt), firstSequence, lastSequence };
}

/** Whether a stream lets go of what a newer message of the same subject replaces. Throws `NatsError` as above. */
export async function keepsNewestOnly(connection: LogConnection, stream: StreamName): Promise<boolean> {
  const { config } = await connection.manager.streams.info(stream);
  return config.max_msgs_per_subject === 1;
}

export interface StreamMessage extends Cause {
  readonly subject: string;
  readonly payload: Uint8Array;
}

/** As it lies in its stream. */
export interface StoredMessage extends StreamMessage {
  /** When the server stored it, as the server writes it, to the nanosecond. */
  readonly storedAt: string;
}

/** One message, or undefined where the stream does not have it. Throws `NatsError` as above. */
export async function readMessage(
  connection: RuntimeConnection,
  stream: StreamName,
  sequence: number,
): Promise<StoredMessage | undefined> {
  const message = await connection.transport.message(stream, sequence);
  if (message === undefined) return undefined;
  const { subject, payload, storedAt } = message;
  return { subject, payload, storedAt, ...causeOf((name) => message.header(name)) };
}

/**
 * What tells a stream from another life of it: when it was made, and when one of its messages was stored. A stream that
 * is restored from a backup was made when the first one was, and may hold other messages behind the backup's end.
 */
export interface StreamIdentity {
  /** Both as the server writes them, to the nanosecond. */
  readonly createdAt: string;
  /** Of the message at the asked sequence; null where the stream does not hold it. */
  readonly storedAt: string | null;
}

/** Throws `NatsError` where the server does not answer. */
export async function readStreamIdentity(
  connection: RuntimeConnection,
  stream: StreamName,
  sequence: number,
): Promise<StreamIdentity> {
  const { createdAt } = await connection.transport.streamExtent(stream);
  const message = sequence < 1 ? undefined : await readMessage(connection, stream, sequence);
  return { createdAt, storedAt: message?.storedAt ?? null };
}

export interface NewestOf {
  /** Of the subject, that are there. */
  readonly messages: number;
  readonly sequence: number;
  readonly storedAtMs: number;
}

/** How many messages a subject has and which is the newest; undefined where it has none. Throws `NatsError` as above. */
export async function readNewestOf(
  { manager }: LogConnection,
  stream: StreamName,
  subject: string,
): Promise<NewestOf | undefined> {
  const { state } = await manager.streams.info(stream, { subjects_filter: subject });
  const messages = state.subjects?.[subject] ?? 0;
  if (messages === 0) return undefined;
  const { seq, time } = await manager.streams.getMessage(stream, { last_by_subj: subject });
  return { messages, sequence: seq, storedAtMs: time.getTime() };
}

/** The payload of one message, or undefined where the stream does not have it. Throws `NatsError` as above. */
export async function readPayload(
  connection: RuntimeConnection,
  stream: StreamName,
  sequence: number,
): Promise<Uint8Array | undefined> {
  return (await readMessage(connection, stream, sequence))?.payload;
}

/** The newest message of a subject, asked of the stream's leader; undefined where there is none. Throws as above. */
export async function readLastMessage(
  connection: LogConnection,
  stream: StreamName,
  subject: string,
): Promise<{ readonly sequence: number; readonly payload: Uint8Array } | undefined> {
  try {
    const message = await connection.manager.streams.getMessage(stream, { last_by_subj: subject });
    return { sequence: message.seq, payload: message.data };
  } catch (error) {
    if (error instanceof NatsError && error.api_error?.err_code === messageNotFound) return undefined;
    throw error;
  }
}
