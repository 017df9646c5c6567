import {
  AckPolicy,
  type ConsumerConfig,
  type ConsumerMessages,
  DeliverPolicy,
  type JsMsg,
  NatsError,
  nuid,
} from 'nats';
import type { StreamName } from '../schemas/catalog.ts';
import type { LogConnection } from './connection.ts';
import { nanos } from './durations.ts';

/**
 * Messages of a stream in order, without acks. The client's own ordered consumer reads ahead without bound when whoever
 * reads it is slow; this one pulls as it is read, and ends with an error where a message may be missing, so that its
 * reader opens another one behind the last message that it knows.
 */
export interface OrderedMessages {
  /** How many messages were there for it when it was opened. */
  readonly pendingAtStart: number;
  read(): AsyncGenerator<JsMsg, void, void>;
  /** Ends `read` behind the messages that are here already. */
  stop(): void;
  /** Lets go of the consumer at the server. */
  close(): void;
}

export interface OrderedStart {
  readonly sequence: number;
  readonly filterSubject?: string | undefined;
  /** Messages that may be here and not yet read. */
  readonly messagesMax: number;
}

const inactiveMs = 300_000;
/** A pull that nothing answers is taken up again after about as long. */
const pullExpiresMs = 5_000;

export async function openOrdered(
  connection: LogConnection,
  stream: StreamName,
  start: OrderedStart,
): Promise<OrderedMessages> {
  const { manager, jetStream } = connection;
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
  // What was under way when the connection was lost does not come again, and nothing would tell if it was the last.
  const stopWatching = connection.watch(() => messages.stop(new Error('the connection was lost in between')));
  const letGo = () => {
    stopWatching();
    messages.stop();
  };
  return {
    pendingAtStart,
    read: () => readInOrder(messages, letGo),
    stop: () => messages.stop(),
    close: () => {
      letGo();
      if (connection.isConnected()) void manager.consumers.delete(stream, name).catch(() => undefined);
    },
  };
}

async function* readInOrder(messages: ConsumerMessages, letGo: () => void): AsyncGenerator<JsMsg, void, void> {
  let expected = 1;
  try {
    for await (const message of messages) {
      const { deliverySequence } = message.info;
      if (deliverySequence !== expected)
        throw new Error(`message ${expected} of this consumer is missing; ${deliverySequence} came`);
      expected++;
      yield message;
    }
  } finally {
    letGo();
  }
}

const directGetTimeoutMs = 5_000;

/** The first sequence from `sequence` on whose subject matches, or undefined where the stream holds none. */
export async function nextSequence(
  connection: LogConnection,
  stream: StreamName,
  sequence: number,
  subject = '>',
): Promise<number | undefined> {
  const question = JSON.stringify({ seq: sequence, next_by_subj: subject });
  const reply = await connection.nats.request(`$JS.API.DIRECT.GET.${stream}`, question, {
    timeout: directGetTimeoutMs,
  });
  const status = reply.headers?.code ?? 0;
  if (status === 404) return undefined;
  const found = Number(reply.headers?.get('Nats-Sequence'));
  if (status >= 300 || !(found > 0))
    throw new NatsError(`${stream} could not be read: ${status} ${reply.headers?.description}`, String(status));
  return found;
}
