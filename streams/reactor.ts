import {
  deliveries,
  type EventData,
  type EventName,
  type EventsFor,
  type ReactorDelivery,
  type SubjectTokens,
  type WorkerName,
} from '../schemas/catalog.ts';
import type { DecodedEvent } from '../schemas/envelope.ts';
import type { RuntimeLog } from './logger.ts';
import type { Rejection } from './rejected.ts';
import { retryConsumer, retryTasks } from './retries.ts';
import { createSlots } from './slots.ts';
import { watchForStalls } from './stalls.ts';
import { tellOfConsumer } from './telemetry/stream-metrics.ts';
import {
  type ConsumerDeclaration,
  type DeliveredMessage,
  type RuntimeConnection,
  type TakenMessages,
  waitUntilConnected,
} from './transport.ts';
import { createWork, streamTasks } from './work.ts';

export type ReactorName = { [W in WorkerName]: (typeof deliveries)[W] extends ReactorDelivery ? W : never }[WorkerName];

/** Where a message stands: its sequence is what versions and message ids are made of. */
export interface MessageContext {
  readonly subject: string;
  readonly sequence: number;
  readonly traceId: string | undefined;
  /** W3C Trace Context of this work. */
  readonly traceparent: string | undefined;
  /** Aborts when the worker stops and the time for finishing what is in flight has passed. */
  readonly signal: AbortSignal;
}

/** One event to append. With `decide` it goes through `appendIfNewer`, else it is appended as it is. */
export type PlannedAppend<Name extends EventName = EventName> = {
  [N in Name]: {
    readonly name: N;
    readonly tokens: SubjectTokens<N>;
    readonly messageId: string;
  } & (
    | { readonly data: EventData<N> }
    | { readonly decide: (newest: EventData<N> | undefined) => EventData<N> | undefined }
  );
}[Name];

/** What a handler decided: the runtime does the rest. */
export type Decision =
  | { readonly kind: 'append'; readonly events: readonly PlannedAppend[] }
  | { readonly kind: 'skip'; readonly reason: string }
  | { readonly kind: 'retry'; readonly reason: string }
  | ({ readonly kind: 'reject' } & Rejection);

export type ReactorHandlers<Worker extends ReactorName> = {
  readonly [Name in EventsFor<Worker>]: (
    event: DecodedEvent<Name, EventData<Name>>,
    context: MessageContext,
  ) => Decision | Promise<Decision>;
};

export interface ReactorOutcome {
  readonly kind: Decision['kind'] | 'failed';
  readonly subject: string;
  readonly sequence: number;
  readonly durationMs: number;
  readonly detail: string;
  readonly traceId: string | undefined;
}

export interface ReactorOptions<Worker extends ReactorName> {
  readonly connection: RuntimeConnection;
  readonly worker: Worker;
  readonly handlers: ReactorHandlers<Worker>;
  readonly log: RuntimeLog;
  readonly onOutcome?: (outcome: ReactorOutcome) => void;
  /**
   * A durable consumer beside the worker's own, from the first message on: the same messages, taken for another end. What
   * an operator asks to be retried does not come to it: see `startRetries`.
   */
  readonly consumer?: { readonly durable: string; readonly filterSubject?: string };
  /** What is done with messages that are taken again, where that is not what is done with new ones. */
  readonly retryHandlers?: ReactorHandlers<Worker>;
  /** Overrides of the delivery policy, for tests that can not wait as long. */
  readonly delivery?: Partial<ReactorDelivery>;
}

export interface Reactor {
  /** Messages that this instance is working on. */
  readonly inFlight: () => number;
  /** Takes no more messages, finishes those it took, and returns; those that take longer are delivered again later. */
  stop(drainMs: number): Promise<void>;
}

const restartWaitMs = 1_000;
const connectionWaitMs = 5_000;

/**
 * Runs a reactor: takes messages from a durable pull consumer, lets the handler decide, publishes what it decided, waits
 * for the publish acks and then acks the message. Running a message twice changes nothing. What fails because something
 * is away is retried without end; what would fail forever is set aside in REJECTED, and taken again when an operator asks
 * for it there (`retries.ts`).
 */
export async function startReactor<Worker extends ReactorName>(options: ReactorOptions<Worker>): Promise<Reactor> {
  const { connection, worker } = options;
  const delivery: ReactorDelivery = { ...deliveries[worker], ...options.delivery };
  const abandoning = new AbortController();
  const own = await startTaking(options, {
    ...(options.consumer ?? { durable: worker }),
    delivery,
    workOn: createWork(options, delivery, abandoning.signal, streamTasks(options, delivery)),
    abandoned: abandoning.signal,
  });
  if (options.consumer !== undefined) return reactorOf([own], abandoning, connection);
  tellOfConsumer(connection, delivery.stream, worker);
  const { retryHandlers: handlers = options.handlers } = options;
  const retries = await takeRetries({ ...options, handlers }, delivery, abandoning.signal);
  return reactorOf([own, retries], abandoning, connection);
}

/**
 * Takes again what an operator asks of a worker, and nothing else: for a worker that has consumers for other ends only,
 * all of which set aside under its one name.
 */
export async function startRetries<Worker extends ReactorName>(
  options: Omit<ReactorOptions<Worker>, 'consumer' | 'retryHandlers'>,
): Promise<Reactor> {
  const delivery: ReactorDelivery = { ...deliveries[options.worker], ...options.delivery };
  const abandoning = new AbortController();
  const retries = await takeRetries(options, delivery, abandoning.signal);
  return reactorOf([retries], abandoning, options.connection);
}

function takeRetries<Worker extends ReactorName>(
  options: ReactorOptions<Worker>,
  delivery: ReactorDelivery,
  abandoned: AbortSignal,
): Promise<Taking> {
  const workOn = createWork(options, delivery, abandoned, retryTasks(options, delivery));
  return startTaking(options, { ...retryConsumer(options.worker, delivery), workOn, abandoned });
}

function reactorOf(taking: readonly Taking[], abandoning: AbortController, connection: RuntimeConnection): Reactor {
  return {
    inFlight: () => taking.reduce((sum, one) => sum + one.inFlight(), 0),
    stop: async (drainMs) => {
      await within(drainMs, Promise.all(taking.map((one) => one.drained())), connection);
      abandoning.abort();
    },
  };
}

interface Taking {
  readonly inFlight: () => number;
  /** Takes no more; resolves when what was taken is finished. */
  drained(): Promise<void>;
}

/** What one durable consumer is taken from, and what is done with its messages. */
interface TakingOptions extends ConsumerDeclaration {
  readonly workOn: (message: DeliveredMessage) => Promise<void>;
  /** Aborts when what is in flight is given up. */
  readonly abandoned: AbortSignal;
}

async function startTaking<Worker extends ReactorName>(
  { connection, log }: ReactorOptions<Worker>,
  { workOn, abandoned, ...declaration }: TakingOptions,
): Promise<Taking> {
  const { durable, delivery } = declaration;
  await connection.transport.ensureConsumer(declaration, log);
  const stopping = new AbortController();
  const slots = createSlots(delivery.concurrency);
  let taken: TakenMessages | undefined;

  const consume = async () => {
    taken = await connection.transport.take(delivery.stream, durable, delivery.concurrency);
    if (stopping.signal.aborted) taken.takeNoMore();
    for await (const message of taken.messages) {
      await slots.free();
      if (abandoned.aborted) return;
      slots.run(workOn(message));
    }
  };
  const running = (async () => {
    while (!stopping.signal.aborted) {
      await consume().catch((error: unknown) => log.warn({ error }, 'the consumer failed and is taken up again'));
      if (stopping.signal.aborted) return;
      await connection.clock.sleep(restartWaitMs, stopping.signal);
      await waitUntilConnected(connection, connectionWaitMs);
      await connection.transport
        .ensureConsumer(declaration, log)
        .catch((error: unknown) => log.warn({ error }, 'the consumer can not be had yet'));
    }
  })();
  void watchForStalls({
    connection,
    log,
    stream: delivery.stream,
    consumer: durable,
    stallMs: (connection.stalls?.limits.ackWaits ?? 0) * delivery.ackWaitMs,
    see: async () => {
      const { pending, ackPending, delivered, ackFloor } = await connection.transport.consumerStatus(
        delivery.stream,
        durable,
      );
      return { waiting: pending + ackPending, mark: `${delivered} ${ackFloor} ${ackPending}` };
    },
    restart: async (attempt) => {
      // First only who takes; where that did not help, what is said to be taken already.
      if (attempt > 1) await connection.transport.restartConsumer(declaration);
      taken?.breakOff('it had stalled');
    },
    signal: stopping.signal,
  });
  return {
    inFlight: slots.count,
    drained: () => {
      stopping.abort();
      taken?.takeNoMore();
      return running.then(slots.idle);
    },
  };
}

/** Waits for something, but no longer than so many milliseconds. */
async function within(milliseconds: number, work: Promise<unknown>, { clock }: RuntimeConnection): Promise<void> {
  const done = new AbortController();
  await Promise.race([work, clock.sleep(milliseconds, done.signal)]);
  done.abort();
}
