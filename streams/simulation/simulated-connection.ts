import type { StreamName } from '../../schemas/catalog.ts';
import type { Clock } from '../clock.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type {
  DeliveredMessage,
  LogTransport,
  OrderedSource,
  OrderedStart,
  RuntimeConnection,
  TakenMessages,
} from '../transport.ts';
import { createInbox } from './inbox.ts';
import { createSimulatedLink, type LinkOptions, type SimulatedLink } from './simulated-link.ts';
import type { SimulatedLog, SimulatedMessage } from './simulated-log.ts';

export interface SimulatedConnectionOptions extends LinkOptions {
  readonly clockOf: (isDead: () => boolean) => Clock;
  readonly telemetry: Telemetry;
}

/** The connection of one process to a log in memory, for the runtimes as they are. */
export interface SimulatedConnection extends RuntimeConnection {
  readonly link: SimulatedLink;
}

export function createSimulatedConnection(options: SimulatedConnectionOptions): SimulatedConnection {
  const link = createSimulatedLink(options);
  return {
    link,
    transport: createSimulatedTransport(options, link),
    clock: options.clockOf(link.isDead),
    telemetry: options.telemetry,
    isConnected: link.isConnected,
    isClosed: () => false,
    watch: link.watch,
  };
}

function createSimulatedTransport(options: SimulatedConnectionOptions, link: SimulatedLink): LogTransport {
  const { log, chance, faults } = options;
  const behind = () => (chance() < faults().stale ? 1 + Math.floor(chance() * 4) : 0);
  return {
    publish: (publication) => link.request(() => log.publish(publication)),
    newest: (stream, subject, fromLeader) => link.request(() => log.newest(stream, subject, fromLeader ? 0 : behind())),
    message: (stream, sequence) =>
      link.request(() => {
        const message = log.message(stream, sequence);
        if (message === undefined) return undefined;
        const { subject, payload, storedAtMs, headers } = message;
        const storedAt = new Date(storedAtMs).toISOString();
        return { subject, payload, storedAt, header: (name) => headers[name] };
      }),
    nextSequence: (stream, sequence, subject) => link.request(() => log.next(stream, sequence, subject)?.sequence),
    streamExtent: (stream) => link.request(() => log.extent(stream)),
    openOrdered: (stream, start) => openOrdered(options, link, stream, start),
    ensureConsumer: (declaration) => link.request(() => log.ensureConsumer(declaration)),
    take: (stream, durable, messagesMax) => take(log, options, link, stream, durable, messagesMax),
    // The watch for stalls is not simulated: `stalls` is left out of the connection.
    consumerStatus: () => Promise.reject(new Error('nobody asks a simulated consumer how it is')),
    restartConsumer: () => Promise.reject(new Error('nobody makes a simulated consumer anew')),
  };
}

function take(
  log: SimulatedLog,
  { chance, faults }: SimulatedConnectionOptions,
  link: SimulatedLink,
  stream: StreamName,
  durable: string,
  messagesMax: number,
): Promise<TakenMessages> {
  return link.request(() => {
    let onTheWay = 0;
    let ending = false;
    const consumer = () => log.consumer(stream, durable);
    const inbox = createInbox<DeliveredMessage>(() => consumer()?.deliver());
    const left = () => {
      onTheWay--;
      if (ending && onTheWay === 0) inbox.end();
      else consumer()?.deliver();
    };
    const bring = (message: SimulatedMessage, deliveries: number) => {
      onTheWay++;
      const arrived = () => {
        inbox.push(deliveredMessage(message, deliveries));
        left();
      };
      link.bring(arrived, left, false);
    };
    const deliveredMessage = (message: SimulatedMessage, redeliveryCount: number): DeliveredMessage => ({
      ...bareMessage(message, { redeliveryCount, deliverySequence: 0, pending: 0 }),
      ack: () => link.say(() => consumer()?.ack(message.sequence)),
      nak: (delayMs = 0) => link.say(() => consumer()?.nak(message.sequence, delayMs)),
      term: () => link.say(() => consumer()?.ack(message.sequence)),
      working: () => link.say(() => consumer()?.working(message.sequence)),
    });
    const leave = log.pull(stream, durable, {
      // The server does not know yet of a process that was killed: what it is given is lost.
      hasRoom: () => !ending && (link.isDead() || link.isConnected()) && inbox.waiting() + onTheWay < messagesMax,
      give: (message, deliveries) => {
        bring(message, deliveries);
        if (chance() < faults().doubled) bring(message, deliveries);
      },
    });
    const stopWatching = link.watch((connected) => {
      if (connected) consumer()?.deliver();
    });
    return {
      messages: inbox,
      takeNoMore: () => {
        if (ending) return;
        ending = true;
        leave();
        stopWatching();
        if (onTheWay === 0) inbox.end();
      },
      breakOff: (why) => {
        ending = true;
        leave();
        stopWatching();
        inbox.end(new Error(why));
      },
    };
  });
}

function openOrdered(
  { log }: SimulatedConnectionOptions,
  link: SimulatedLink,
  stream: StreamName,
  { sequence, filterSubject = '>', messagesMax }: OrderedStart,
): Promise<OrderedSource> {
  return link.request(() => {
    let nextSequence = sequence;
    let delivered = 0;
    let onTheWay = 0;
    const inbox = createInbox<DeliveredMessage>(() => deliver());
    const bring = (message: SimulatedMessage) => {
      const deliverySequence = ++delivered;
      onTheWay++;
      const pending = log.countFrom(stream, message.sequence + 1, filterSubject);
      link.bring(
        () => {
          onTheWay--;
          inbox.push({ ...bareMessage(message, { redeliveryCount: 1, deliverySequence, pending }), ...withoutAcks });
        },
        () => {
          onTheWay--;
        },
        true,
      );
    };
    const deliver = () => {
      while (!link.isDead() && log.isUp() && inbox.waiting() + onTheWay < messagesMax) {
        const message = log.next(stream, nextSequence, filterSubject);
        if (message === undefined) return;
        nextSequence = message.sequence + 1;
        bring(message);
      }
    };
    const unfollow = log.follow(stream, deliver);
    const pendingAtStart = log.countFrom(stream, sequence, filterSubject);
    deliver();
    return {
      pendingAtStart,
      messages: inbox,
      stop: (error) => {
        unfollow();
        inbox.end(error);
      },
      release: unfollow,
    };
  });
}

const withoutAcks = { ack: () => {}, nak: () => {}, term: () => {}, working: () => {} };

function bareMessage(
  { sequence, subject, payload, headers, storedAtMs }: SimulatedMessage,
  info: Omit<DeliveredMessage['info'], 'timestampNanos'>,
) {
  return {
    seq: sequence,
    subject,
    data: payload,
    headers: { get: (name: string) => headers[name] ?? '' },
    info: { ...info, timestampNanos: storedAtMs * 1_000_000 },
  };
}
