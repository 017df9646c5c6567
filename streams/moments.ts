import { DeliverPolicy, NatsError } from 'nats';
import type { StreamName } from '../schemas/catalog.ts';
import type { LogConnection } from './connection.ts';

const firstMessageWaitMs = 5_000;

/** The last sequence that was stored before a moment; 0 where there was none. */
export async function lastSequenceBefore(connection: LogConnection, stream: StreamName, atMs: number): Promise<number> {
  const { state } = await connection.manager.streams.info(stream);
  if (state.messages === 0) return 0;
  const consumer = await connection.jetStream.consumers.get(stream, {
    deliver_policy: DeliverPolicy.StartTime,
    opt_start_time: new Date(atMs).toISOString(),
  });
  const { num_pending: pending } = await consumer.info();
  if (pending === 0) return state.last_seq;
  const first = await consumer.next({ expires: firstMessageWaitMs });
  if (first === null)
    throw new Error(`${stream} did not tell its first message behind ${new Date(atMs).toISOString()}`);
  return first.seq - 1;
}

/** When a sequence was stored, in milliseconds since 1970; undefined where the stream does not have it. */
export async function storedAtMs(
  connection: LogConnection,
  stream: StreamName,
  sequence: number,
): Promise<number | undefined> {
  try {
    const message = await connection.manager.streams.getMessage(stream, { seq: sequence });
    return message.time.getTime();
  } catch (error) {
    if (error instanceof NatsError && error.api_error?.code === 404) return undefined;
    throw error;
  }
}

export interface ConsumerLag {
  /** Messages not delivered yet. */
  readonly pending: number;
  /** Messages delivered and not acknowledged. */
  readonly ackPending: number;
  readonly redelivered: number;
}

/** How far a durable consumer is behind; undefined where it was never made. */
export async function consumerLag(
  connection: LogConnection,
  stream: StreamName,
  durable: string,
): Promise<ConsumerLag | undefined> {
  try {
    const info = await connection.manager.consumers.info(stream, durable);
    return { pending: info.num_pending, ackPending: info.num_ack_pending, redelivered: info.num_redelivered };
  } catch (error) {
    if (error instanceof NatsError && error.api_error?.code === 404) return undefined;
    throw error;
  }
}
