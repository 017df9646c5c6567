import type { StreamName } from '../schemas/catalog.ts';
import { isNothingLeft, openOrdered } from './ordered.ts';
import { readStreamState } from './stream-reader.ts';
import type { RuntimeConnection } from './transport.ts';

export interface StoredMessage {
  readonly sequence: number;
  readonly subject: string;
  readonly payload: Uint8Array;
  /** When the server stored it, in milliseconds since 1970. */
  readonly storedAtMs: number;
  /** What it was published with; empty where that was nothing. */
  readonly messageId: string;
}

export interface ReadStreamOptions {
  /** The first sequence; 1 where it is left out. */
  readonly from?: number;
  /** Only messages whose subject matches. */
  readonly filterSubject?: string;
}

const messagesHeldMax = 512;
const interruptionsMax = 20;
/** A replica that has not caught up with its leader is asked again after this long. */
const behindMs = 250;

/**
 * What a stream holds at this moment, in order, each message once: what is appended meanwhile is left for the next time.
 * Where the connection is lost in between, it goes on behind the last message that was given; and so it does where a
 * consumer comes to its end that the stream's leader knows more behind: it reads from a replica, which may be behind.
 * @throws Error where it is interrupted twenty times without a message in between
 */
export async function* readStream(
  connection: RuntimeConnection,
  stream: StreamName,
  { from = 1, filterSubject }: ReadStreamOptions = {},
): AsyncGenerator<StoredMessage, void, void> {
  const { lastSequence } = await readStreamState(connection, stream);
  let next = from;
  let interruptions = 0;
  const isOver = async () =>
    next > lastSequence || isNothingLeft(connection, stream, { from: next, to: lastSequence, filterSubject });
  while (next <= lastSequence) {
    const messages = await openOrdered(connection, stream, {
      sequence: next,
      filterSubject,
      messagesMax: messagesHeldMax,
    });
    try {
      if (messages.pendingAtStart > 0)
        for await (const message of messages.read()) {
          if (message.seq > lastSequence) return;
          interruptions = 0;
          next = message.seq + 1;
          const storedAtMs = message.info.timestampNanos / 1_000_000;
          const messageId = message.headers?.get('Nats-Msg-Id') ?? '';
          yield { sequence: message.seq, subject: message.subject, payload: message.data, storedAtMs, messageId };
          if (message.info.pending === 0 || next > lastSequence) break;
        }
      if (await isOver()) return;
      if (++interruptions >= interruptionsMax)
        throw new Error(`${stream} ends at ${next - 1} where it is read, and at ${lastSequence} where it is written`);
    } catch (error) {
      if (++interruptions >= interruptionsMax) throw error;
    } finally {
      messages.close();
    }
    await connection.clock.sleep(behindMs);
  }
}
