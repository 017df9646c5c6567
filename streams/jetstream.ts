import {
  AckPolicy,
  type ConsumerConfig,
  type ConsumerMessages,
  DeliverPolicy,
  Empty,
  type JetStreamClient,
  type JetStreamManager,
  type NatsConnection,
  NatsError,
  nuid,
  type Subscription,
} from 'nats';
import { type StreamName, streamOf } from '../schemas/catalog.ts';
import type { Clock } from './clock.ts';
import { ensureConsumer, restartConsumer } from './durable-consumer.ts';
import { nanos } from './durations.ts';
import { inspectConsumer } from './inspect.ts';
import { ConflictError, OutageError } from './log-errors.ts';
import type { Requester } from './requester.ts';
import { createRoom, type Room } from './room.ts';
import { isAtLeast, parseServerVersion, refusesWhenFullSince } from './server/version.ts';
import { topology } from './topology.ts';
import type {
  Appended,
  LogTransport,
  LyingMessage,
  OrderedSource,
  OrderedStart,
  Publication,
  TakenMessages,
} from './transport.ts';

const wrongLastSequence = 10071;
const messageNotFound = 10037;
const textDecoder = new TextDecoder();
const storeFullCodes: ReadonlySet<number> = new Set([10047, 10077, 10023]);
const inactiveMs = 300_000;
/** A pull that nothing answers is taken up again after about as long. */
const pullExpiresMs = 5_000;

interface Server {
  readonly nats: NatsConnection;
  readonly jetStream: JetStreamClient;
  readonly manager: JetStreamManager;
  readonly requester: Requester;
}

/** The log as a JetStream server gives it. */
export function createJetStreamTransport(server: Server, clock: Clock): LogTransport {
  const { manager } = server;
  const look = async (stream: string) => {
    const { state, config } = await manager.streams.info(stream);
    return { bytes: state.bytes, bytesMax: config.max_bytes };
  };
  const room = createRoom({ look, clock });
  return {
    publish: (publication) => publishWhereRoomIs(server, room, publication),
    newest: (stream, subject, fromLeader) => newest(server, stream, subject, fromLeader),
    message: (stream, sequence) => message(server, stream, sequence),
    nextSequence: (stream, sequence, subject) => nextSequence(server, stream, sequence, subject),
    streamExtent: async (stream) => {
      const { created: createdAt, state } = await manager.streams.info(stream);
      const { messages, bytes, first_seq: firstSequence, last_seq: lastSequence } = state;
      return { createdAt, messages, bytes, firstSequence, lastSequence };
    },
    openOrdered: (stream, start) => openOrdered(server, stream, start),
    ensureConsumer: (declaration, log) => ensureConsumer(server, declaration, log),
    take: (stream, durable, messagesMax) => take(server, stream, durable, messagesMax),
    consumerStatus: (stream, durable) => inspectConsumer(server, stream, durable),
    restartConsumer: (declaration) => restartConsumer(server, declaration),
  };
}

/** What a server keeps beside a message's own bytes, and the headers that the client adds, at most. */
const recordBytesMore = 320;

function recordBytes({ subject, payload, headers: said }: Publication): number {
  const ofHeaders = Object.entries(said).reduce((sum, [name, value]) => sum + name.length + value.length + 4, 0);
  return recordBytesMore + subject.length + payload.length + ofHeaders;
}

/** What was read of each version that a server told: it is asked for each message. */
const refusing = new Map<string, boolean>();

/** Whether a full stream refuses, or throws its oldest message away first: see `Room`. */
function refusesWhenFull({ info }: NatsConnection): boolean {
  const told = info?.version ?? '';
  const known = refusing.get(told);
  if (known !== undefined) return known;
  const version = parseServerVersion(told);
  const refuses = version !== undefined && isAtLeast(version, refusesWhenFullSince);
  refusing.set(told, refuses);
  return refuses;
}

async function publishWhereRoomIs(server: Server, room: Room, publication: Publication): Promise<Appended> {
  const { subject } = publication;
  const stream = streamOf(subject);
  // A window lets its oldest go.
  const loses = stream === undefined || topology[stream].keeps === 'window';
  if (loses || refusesWhenFull(server.nats)) return publish(server, publication);
  const bytes = recordBytes(publication);
  const fits = await room.take(stream, bytes).catch((error: unknown) => {
    throw classify(error, subject);
  });
  if (!fits) throw storeFull(subject, `${stream} has no room for ${bytes} bytes`);
  return publish(server, publication).finally(() => room.done(stream, bytes));
}

function storeFull(subject: string, why: string, cause?: unknown): OutageError {
  return new OutageError('store_full', `the log is full for ${subject}: ${why}; raise the stream's byte limit`, cause);
}

async function publish(
  { requester }: Server,
  { subject, payload, messageId, headers, lastSubjectSequence }: Publication,
): Promise<Appended> {
  const said: Record<string, string> = { ...headers, 'Nats-Msg-Id': messageId };
  if (lastSubjectSequence !== undefined) said['Nats-Expected-Last-Subject-Sequence'] = String(lastSubjectSequence);
  try {
    const { data } = await requester.ask({ subject, payload, headers: said });
    return appendedOf(data, subject);
  } catch (error) {
    throw classify(error, subject);
  }
}

/** What a stream answers to a message: see `JSPubAckResponse` of nats-server. */
interface PublishAnswer {
  readonly seq?: number;
  readonly duplicate?: boolean;
  readonly error?: { readonly code: number; readonly err_code?: number; readonly description?: string };
}

function appendedOf(answer: Uint8Array, subject: string): Appended {
  const { seq: sequence, duplicate = false, error } = JSON.parse(textDecoder.decode(answer)) as PublishAnswer;
  if (error !== undefined) throw refusal(error.err_code, error.description ?? String(error.code), subject);
  if (sequence === undefined) throw new OutageError('unavailable', `what answers for ${subject} is no stream`);
  return { sequence, duplicate };
}

function classify(error: unknown, subject: string): Error {
  if (!(error instanceof NatsError)) return error instanceof Error ? error : new Error(String(error));
  if (error.api_error !== undefined) return refusal(error.api_error.err_code, error.message, subject, error);
  if (error.code === 'MAX_PAYLOAD_EXCEEDED' || error.code === 'PERMISSIONS_VIOLATION') return error;
  return new OutageError('unavailable', `the log did not take ${subject}: ${error.code} ${error.message}`, error);
}

function refusal(code: number | undefined, why: string, subject: string, cause?: unknown): Error {
  if (code === wrongLastSequence) return new ConflictError(why);
  if (code !== undefined && storeFullCodes.has(code)) return storeFull(subject, why, cause);
  return new OutageError('unavailable', `the log did not take ${subject}: ${code ?? ''} ${why}`, cause);
}

async function newest(
  { requester, manager }: Server,
  stream: StreamName,
  subject: string,
  fromLeader: boolean,
): Promise<{ sequence: number; payload: Uint8Array } | undefined> {
  try {
    if (fromLeader) {
      const { seq: sequence, data: payload } = await manager.streams.getMessage(stream, { last_by_subj: subject });
      return { sequence, payload };
    }
    const asked = { subject: `$JS.API.DIRECT.GET.${stream}.${subject}`, payload: Empty, headers: {} };
    const reply = await requester.ask(asked);
    const status = reply.headers?.code ?? 0;
    if (status === 404) return undefined;
    if (reply.headers === undefined || status >= 300)
      throw new OutageError('unavailable', `${subject} could not be read: ${status} ${reply.headers?.description}`);
    return { sequence: Number(reply.headers.get('Nats-Sequence')), payload: reply.data };
  } catch (error) {
    if (error instanceof NatsError && error.api_error?.code === 404) return undefined;
    throw classify(error, subject);
  }
}

async function message({ manager }: Server, stream: StreamName, sequence: number): Promise<LyingMessage | undefined> {
  try {
    const found = await manager.streams.getMessage(stream, { seq: sequence });
    const { subject, data: payload, header, timestamp: storedAt } = found;
    return { subject, payload, storedAt, header: (name) => header.get(name) };
  } catch (error) {
    if (error instanceof NatsError && error.api_error?.err_code === messageNotFound) return undefined;
    throw error;
  }
}

/** Asked of the leader alone: any replica answers a direct get, and one that is behind would say that nothing is left. */
async function nextSequence(
  { manager }: Server,
  stream: StreamName,
  sequence: number,
  subject: string,
): Promise<number | undefined> {
  const question = { seq: sequence, next_by_subj: subject };
  try {
    return (await manager.streams.getMessage(stream, question)).seq;
  } catch (error) {
    if (error instanceof NatsError && error.api_error?.err_code === messageNotFound) return undefined;
    throw error;
  }
}

async function openOrdered(
  { nats, manager, jetStream }: Server,
  stream: StreamName,
  start: OrderedStart,
): Promise<OrderedSource> {
  const config: Partial<ConsumerConfig> = {
    name: nuid.next(),
    ack_policy: AckPolicy.None,
    deliver_policy: DeliverPolicy.StartSequence,
    opt_start_seq: start.sequence,
    inactive_threshold: nanos(inactiveMs),
    mem_storage: true,
    num_replicas: 1,
    ...(start.filterSubject === undefined ? {} : { filter_subject: start.filterSubject }),
  };
  const { name, num_pending: pendingAtStart } = await manager.consumers.add(stream, config);
  const consumer = await jetStream.consumers.get(stream, name);
  const messages = await consumer.consume({
    max_messages: start.messagesMax,
    expires: pullExpiresMs,
    abort_on_missing_resource: true,
  });
  return {
    pendingAtStart,
    messages,
    stop: (error) => messages.stop(error),
    release: () => {
      if (!nats.isClosed()) void manager.consumers.delete(stream, name).catch(() => undefined);
    },
  };
}

async function take(
  { jetStream }: Server,
  stream: StreamName,
  durable: string,
  messagesMax: number,
): Promise<TakenMessages> {
  const consumer = await jetStream.consumers.get(stream, durable);
  // Without the abort the client would wait without end for a consumer that was deleted.
  const messages = await consumer.consume({
    max_messages: messagesMax,
    expires: pullExpiresMs,
    abort_on_missing_resource: true,
  });
  return {
    messages,
    takeNoMore: () => takeNoMore(messages),
    breakOff: (why) => messages.stop(new Error(why)),
  };
}

/**
 * Ends the iteration behind everything that the server has sent. The client's own `stop` drops what is on its way, which
 * would come again after the ack wait only; draining its subscription, as it does when a connection is drained, does not.
 * Giving messages back instead is no way: nats-server 2.9 misplaces one that it redelivers to a pull that has gone.
 */
function takeNoMore(messages: ConsumerMessages): void {
  const { sub } = messages as unknown as { readonly sub?: Subscription };
  if (sub === undefined || sub.isClosed()) messages.stop();
  else void sub.drain().catch(() => messages.stop());
}
