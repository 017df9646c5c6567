import type { ReactorDelivery, StreamName } from '../schemas/catalog.ts';
import type { Clock } from './clock.ts';
import type { ConsumerStatus } from './inspect.ts';
import type { RuntimeLog } from './logger.ts';
import type { Stalls } from './stalls.ts';
import type { Telemetry } from './telemetry/telemetry.ts';

/**
 * What the runtimes (append, reactor, projector, rejections, retries) need of a log, and no more. `jetstream.ts` gives it
 * from a server; `simulation/` from memory, with faults. Everything that decides lies above it and is the same for both.
 */
export interface LogTransport {
  /**
   * Publishes one message and waits for what the log says to it.
   * @throws ConflictError where the subject does not end at `lastSubjectSequence`: nothing was appended
   * @throws OutageError where no answer came (it may be appended or not), or the stream is full (it is not)
   */
  publish(publication: Publication): Promise<Appended>;
  /**
   * The newest message of a subject; undefined where there is none. Unless it is asked of the stream's leader, any replica
   * answers, which may be behind.
   */
  newest(
    stream: StreamName,
    subject: string,
    fromLeader: boolean,
  ): Promise<{ readonly sequence: number; readonly payload: Uint8Array } | undefined>;
  /** One message as it lies in its stream; undefined where the stream does not have it. */
  message(stream: StreamName, sequence: number): Promise<LyingMessage | undefined>;
  /** The first sequence from `sequence` on whose subject matches, or undefined where the stream holds none. */
  nextSequence(stream: StreamName, sequence: number, subject: string): Promise<number | undefined>;
  streamExtent(stream: StreamName): Promise<StreamExtent>;
  /** A consumer without acks, that is let go of by its reader. */
  openOrdered(stream: StreamName, start: OrderedStart): Promise<OrderedSource>;
  /** Makes a durable consumer, or brings it to its declaration. */
  ensureConsumer(declaration: ConsumerDeclaration, log: RuntimeLog): Promise<void>;
  /** Takes messages from a durable consumer, so many ahead of whoever reads them at most. */
  take(stream: StreamName, durable: string, messagesMax: number): Promise<TakenMessages>;
  consumerStatus(stream: StreamName, durable: string): Promise<ConsumerStatus>;
  /**
   * Makes a durable consumer anew behind everything that it has finished: what somebody else holds is delivered again.
   * @returns the sequence that it begins with
   */
  restartConsumer(declaration: ConsumerDeclaration): Promise<number>;
}

/** What a runtime is connected to. A process has a `LogConnection`, which is one of these. */
export interface RuntimeConnection {
  readonly transport: LogTransport;
  readonly clock: Clock;
  /** Where what is done over this connection is told. */
  readonly telemetry: Telemetry;
  /** Where consumers that stall are told of and how they are found; absent: nobody looks for them. */
  readonly stalls?: Stalls;
  /** False while the server is away: what is published then is lost, and its answer never comes. */
  readonly isConnected: () => boolean;
  readonly isClosed: () => boolean;
  /** Tells each loss and each return of the connection, until the returned function is called. */
  watch(listener: (connected: boolean) => void): () => void;
}

/** Resolves when the server is there, after so many milliseconds, or when the connection was closed. */
export function waitUntilConnected(connection: RuntimeConnection, milliseconds: number): Promise<void> {
  if (connection.isConnected() || connection.isClosed()) return Promise.resolve();
  const waiting = new AbortController();
  const stopWatching = connection.watch((connected) => {
    if (connected) waiting.abort();
  });
  return connection.clock.sleep(milliseconds, waiting.signal).finally(stopWatching);
}

export interface Publication {
  readonly subject: string;
  readonly payload: Uint8Array;
  readonly messageId: string;
  readonly headers: Readonly<Record<string, string>>;
  /** What the newest message of the subject has to be, 0 for none; undefined: whatever it is. */
  readonly lastSubjectSequence: number | undefined;
}

export interface Appended {
  readonly sequence: number;
  /** The server had the message id already, within its window: the sequence is the first one's. */
  readonly duplicate: boolean;
}

export interface LyingMessage {
  readonly subject: string;
  readonly payload: Uint8Array;
  /** When the server stored it, as the server writes it, to the nanosecond. */
  readonly storedAt: string;
  header(name: string): string | undefined;
}

export interface StreamExtent {
  /** When the stream was made, as the server writes it. */
  readonly createdAt: string;
  readonly messages: number;
  readonly bytes: number;
  /** The oldest sequence that is there; 0 where nothing ever was. */
  readonly firstSequence: number;
  readonly lastSequence: number;
}

/** A message as a consumer is given it. The client's own messages are of this shape, so none is made for each. */
export interface DeliveredMessage {
  readonly seq: number;
  readonly subject: string;
  readonly data: Uint8Array;
  readonly headers?: { get(name: string): string } | undefined;
  readonly info: {
    /** How often it was delivered, this time included. */
    readonly redeliveryCount: number;
    /** Its number among all that its consumer delivered. */
    readonly deliverySequence: number;
    /** Messages behind it that its consumer did not deliver yet. */
    readonly pending: number;
    /** When the server stored it, in nanoseconds since 1970. */
    readonly timestampNanos: number;
  };
  ack(): void;
  /** Asks for it again after so many milliseconds. */
  nak(delayMs?: number): void;
  /** Says that it is done with, and was not worked on. */
  term(): void;
  /** Says that it is being worked on still: its ack wait begins anew. */
  working(): void;
}

export interface OrderedStart {
  readonly sequence: number;
  readonly filterSubject?: string | undefined;
  /** Messages that may be here and not yet read. */
  readonly messagesMax: number;
}

export interface OrderedSource {
  /** How many messages were there for it when it was opened. */
  readonly pendingAtStart: number;
  /** As they arrive: some may be missing. */
  readonly messages: AsyncIterable<DeliveredMessage>;
  /** Ends `messages` behind those that are here already, or at once with an error. */
  stop(error?: Error): void;
  /** Lets go of the consumer at the server. */
  release(): void;
}

export interface ConsumerDeclaration {
  readonly durable: string;
  readonly delivery: ReactorDelivery;
  /** The subjects that it is for; all of its stream where left out. */
  readonly filterSubject?: string;
}

export interface TakenMessages {
  readonly messages: AsyncIterable<DeliveredMessage>;
  /** Ends `messages` behind everything that the server has sent. */
  takeNoMore(): void;
  /** Ends `messages` at once: what was sent and not read comes again after its ack wait. */
  breakOff(why: string): void;
}
