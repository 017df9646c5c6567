import { AckPolicy, DeliverPolicy, type JsMsg } from 'nats';
import type { StreamName } from '../../schemas/catalog.ts';
import type { LogConnection } from '../connection.ts';
import { nanos } from '../durations.ts';
import type { OrderedSource } from '../transport.ts';

/** A durable consumer as somebody might have made it by hand: for other subjects, from now on, one message at a time. */
export async function misconfigureConsumer(
  { manager }: LogConnection,
  stream: StreamName,
  durable: string,
): Promise<void> {
  await manager.consumers.add(stream, {
    durable_name: durable,
    ack_policy: AckPolicy.Explicit,
    deliver_policy: DeliverPolicy.New,
    filter_subject: `${stream.toLowerCase()}.elsewhere`,
    ack_wait: nanos(5),
    max_ack_pending: 1,
  });
}

/** Takes messages as a client does that dies then: they are neither acked nor given back. Tells how many it took. */
export async function takeAndDie(
  { jetStream }: LogConnection,
  stream: StreamName,
  durable: string,
  count: number,
): Promise<number> {
  const consumer = await jetStream.consumers.get(stream, durable);
  const taken: JsMsg[] = [];
  for await (const message of await consumer.fetch({ max_messages: count, expires: 2_000 })) taken.push(message);
  return taken.length;
}

/** A source that says nothing more behind so many messages, and does not end either: as a server does that hangs. */
export function silentBehind(source: OrderedSource, count: number): OrderedSource {
  let end: (error: Error) => void = () => {};
  const ended = new Promise<never>((_, reject) => {
    end = reject;
  });
  ended.catch(() => undefined);
  async function* messages() {
    let left = count;
    for await (const message of source.messages) {
      if (left-- === 0) await ended;
      yield message;
    }
  }
  return {
    ...source,
    messages: messages(),
    stop: (error) => {
      source.stop(error);
      end(error ?? new Error('stopped'));
    },
  };
}
