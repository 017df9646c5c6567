import type { StreamName } from '../schemas/catalog.ts';
import type { DeliveredMessage, OrderedSource, OrderedStart, RuntimeConnection } from './transport.ts';

/**
 * Messages of a stream in order, without acks. The client's own ordered consumer reads ahead without bound when whoever
 * reads it is slow; this one pulls as it is read, and ends with an error where a message may be missing, so that its
 * reader opens another one behind the last message that it knows.
 */
export interface OrderedMessages {
  /** How many messages were there for it when it was opened. */
  readonly pendingAtStart: number;
  read(): AsyncGenerator<DeliveredMessage, void, void>;
  /** Ends `read` behind the messages that are here already. */
  stop(): void;
  /** Ends `read` with an error: its reader opens another one. */
  breakOff(why: string): void;
  /** Lets go of the consumer at the server. */
  close(): void;
}

export async function openOrdered(
  connection: RuntimeConnection,
  stream: StreamName,
  start: OrderedStart,
): Promise<OrderedMessages> {
  const source = await connection.transport.openOrdered(stream, start);
  // What was under way when the connection was lost does not come again, and nothing would tell if it was the last.
  const stopWatching = connection.watch(() => source.stop(new Error('the connection was lost in between')));
  const letGo = () => {
    stopWatching();
    source.stop();
  };
  return {
    pendingAtStart: source.pendingAtStart,
    read: () => readInOrder(source, letGo),
    stop: () => source.stop(),
    breakOff: (why) => source.stop(new Error(why)),
    close: () => {
      letGo();
      if (connection.isConnected()) source.release();
    },
  };
}

async function* readInOrder(
  { messages }: OrderedSource,
  letGo: () => void,
): AsyncGenerator<DeliveredMessage, void, void> {
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

/** The first sequence from `sequence` on whose subject matches, or undefined where the stream holds none. */
export function nextSequence(
  { transport }: RuntimeConnection,
  stream: StreamName,
  sequence: number,
  subject = '>',
): Promise<number | undefined> {
  return transport.nextSequence(stream, sequence, subject);
}
