import { type Msg, NatsError, type StreamConfig, type StreamInfo } from 'nats';
import type { StreamName } from '../schemas/catalog.ts';
import { type LogConnection, newInbox } from './connection.ts';

/**
 * Whole streams out of a server and into another one, by the server's own snapshots: its store in pieces, with sequences,
 * times, headers and configuration as they are. It works while the stream is written to, and on every server from 2.9 on.
 * The format is a tar archive in S2 frames (`backup/`), without consumers.
 */

export const transferLimits = {
  /** Pieces in which the server sends its store. */
  outgoingPieceBytes: 512 * 1024,
  /** Pieces in which it is given one back; fits into a payload with room. */
  incomingPieceBytes: 1024 * 1024,
  /** A large store is flushed before the first piece comes. */
  answerTimeoutMs: 60_000,
  pieceTimeoutMs: 60_000,
  /** A store of many gigabytes is read through by the server when its last piece has come. */
  finishTimeoutMs: 1_800_000,
} as const;

/** What a stream was when its snapshot was begun. */
export interface TransferredStream {
  readonly stream: StreamName;
  /** As the server writes it: which life of the stream this is. */
  readonly createdAt: string;
  readonly firstSequence: number;
  readonly lastSequence: number;
  readonly messages: number;
  readonly bytes: number;
  readonly config: StreamConfig;
}

/** Streams that the server has. */
export async function presentStreams(connection: LogConnection): Promise<string[]> {
  const names: string[] = [];
  for await (const name of connection.manager.streams.names()) names.push(name);
  return names;
}

/** What a stream is now. */
export async function describeStream(connection: LogConnection, stream: StreamName): Promise<TransferredStream> {
  return describe(stream, await connection.manager.streams.info(stream));
}

function describe(stream: StreamName, { config, created, state }: StreamInfo): TransferredStream {
  const { first_seq: firstSequence, last_seq: lastSequence, messages, bytes } = state;
  return { stream, createdAt: created, firstSequence, lastSequence, messages, bytes, config };
}

/**
 * The store of a stream, piece by piece; the server waits while whoever reads does.
 * @throws NatsError where it does not answer, or breaks off
 */
export async function* readStreamStore(connection: LogConnection, stream: StreamName): AsyncGenerator<Uint8Array> {
  const { nats } = connection;
  const inbox = newInbox(connection);
  const pieces = nats.subscribe(inbox);
  try {
    const request = {
      deliver_subject: inbox,
      no_consumers: true,
      chunk_size: transferLimits.outgoingPieceBytes,
      jsck: false,
    };
    await ask(connection, `$JS.API.STREAM.SNAPSHOT.${stream}`, request);
    const iterator = pieces[Symbol.asyncIterator]();
    for (;;) {
      const { value: message } = await within(connection, iterator.next());
      if (message === undefined) throw new NatsError(`the snapshot of ${stream} broke off`, 'BAD_SNAPSHOT');
      if (message.data.byteLength === 0) return endOf(stream, message);
      yield message.data;
      // Acknowledged when it is worked up: what the server sends ahead is bounded by what is not.
      message.respond();
    }
  } finally {
    pieces.unsubscribe();
  }
}

/** Newer servers tell in the last message when they could not go on. */
function endOf(stream: StreamName, message: Msg): void {
  const status = message.headers?.code ?? 0;
  if (status >= 400)
    throw new NatsError(
      `the snapshot of ${stream} broke off: ${status} ${message.headers?.description}`,
      'BAD_SNAPSHOT',
    );
}

/**
 * Makes a stream of a store that `readStreamStore` gave.
 * @throws NatsError where there is a stream of the name, or the server does not take it
 */
export async function writeStreamStore(
  connection: LogConnection,
  { stream, config, createdAt, firstSequence, lastSequence, messages, bytes }: TransferredStream,
  replicas: number,
  store: AsyncIterable<Uint8Array>,
): Promise<TransferredStream> {
  const state = {
    messages,
    bytes,
    first_seq: firstSequence,
    first_ts: createdAt,
    last_seq: lastSequence,
    last_ts: createdAt,
    consumer_count: 0,
  };
  const request = { config: { ...config, num_replicas: replicas }, state };
  const answer = await ask(connection, `$JS.API.STREAM.RESTORE.${stream}`, request);
  const subject = answer.deliver_subject;
  if (typeof subject !== 'string') throw new NatsError(`the server did not say where to send ${stream}`, 'BAD_RESTORE');
  for await (const piece of store) {
    const reply = await connection.nats.request(subject, piece, { timeout: transferLimits.pieceTimeoutMs });
    if (reply.data.byteLength > 0) refuse(JSON.parse(reply.string()));
  }
  const last = await connection.nats.request(subject, new Uint8Array(0), { timeout: transferLimits.finishTimeoutMs });
  refuse(JSON.parse(last.string()));
  return describeStream(connection, stream);
}

type Answer = Readonly<Record<string, unknown>>;

async function ask({ nats }: LogConnection, subject: string, request: object): Promise<Answer> {
  const reply = await nats.request(subject, JSON.stringify(request), { timeout: transferLimits.answerTimeoutMs });
  const answer = JSON.parse(reply.string()) as Answer;
  refuse(answer);
  return answer;
}

/** @throws NatsError where an answer of JetStream tells an error */
function refuse(answer: Answer): void {
  const error = answer.error;
  if (typeof error !== 'object' || error === null) return;
  const told = 'description' in error ? String(error.description) : JSON.stringify(error);
  throw new NatsError(told, 'JETSTREAM_ERROR');
}

async function within<Value>({ clock }: LogConnection, value: Promise<Value>): Promise<Value> {
  const done = new AbortController();
  const late = clock.sleep(transferLimits.pieceTimeoutMs, done.signal).then(() => {
    if (!done.signal.aborted) throw new NatsError('nothing more came of the snapshot', 'TIMEOUT');
    return value;
  });
  try {
    return await Promise.race([value, late]);
  } finally {
    done.abort();
  }
}
