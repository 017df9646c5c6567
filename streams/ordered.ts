import type { StreamName } from '../schemas/catalog.ts';
import { topology } from './topology.ts';
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
    read: () => readInOrder(source, gapsOf(connection, stream, start), letGo),
    stop: () => source.stop(),
    breakOff: (why) => source.stop(new Error(why)),
    close: () => {
      letGo();
      if (connection.isConnected()) source.release();
    },
  };
}

/**
 * Tells what a replica may have left out: where a stream keeps everything and all of it is read, a sequence that does not
 * come is one that the stream's leader does not have either, or this reader would leave it out without a word.
 */
interface Gaps {
  /** @throws Error where the leader has a message between the last one and this */
  check(sequence: number): Promise<void> | undefined;
}

function gapsOf(connection: RuntimeConnection, stream: StreamName, { sequence, filterSubject }: OrderedStart): Gaps {
  const { keeps } = topology[stream];
  if (filterSubject !== undefined || (keeps !== 'log' && keeps !== 'everything')) return { check: () => undefined };
  let expected = sequence;
  // Somebody has this stream keep less than it was made for: gaps tell nothing then.
  let isSparse = false;
  const ask = async (from: number, found: number) => {
    const held = await nextSequence(connection, stream, from);
    if (held !== undefined && held < found)
      throw new Error(`message ${held} of ${stream} is missing where it is read; the stream's leader has it`);
    isSparse = from > sequence;
  };
  return {
    check: (found) => {
      const from = expected;
      expected = found + 1;
      return found > from && !isSparse ? ask(from, found) : undefined;
    },
  };
}

async function* readInOrder(
  { messages }: OrderedSource,
  gaps: Gaps,
  letGo: () => void,
): AsyncGenerator<DeliveredMessage, void, void> {
  let expected = 1;
  try {
    for await (const message of messages) {
      const { deliverySequence } = message.info;
      if (deliverySequence !== expected)
        throw new Error(`message ${expected} of this consumer is missing; ${deliverySequence} came`);
      expected++;
      const checking = gaps.check(message.seq);
      if (checking !== undefined) await checking;
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

/** Whether the stream's leader has no message from one sequence to another, both included, whose subject matches. */
export async function isNothingLeft(
  connection: RuntimeConnection,
  stream: StreamName,
  {
    from,
    to,
    filterSubject,
  }: { readonly from: number; readonly to: number; readonly filterSubject?: string | undefined },
): Promise<boolean> {
  const next = await nextSequence(connection, stream, from, filterSubject);
  return next === undefined || next > to;
}
