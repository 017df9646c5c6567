import type { ConsumerMessages, JsMsg, Subscription } from 'nats';
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
import { type LogConnection, waitUntilConnected } from './connection.ts';
import { type ConsumerDeclaration, ensureConsumer } from './durable-consumer.ts';
import type { RuntimeLog } from './logger.ts';
import type { Rejection } from './rejected.ts';
import { retryConsumer, retryTasks } from './retries.ts';
import { createSlots } from './slots.ts';
import { tellOfConsumer } from './telemetry/stream-metrics.ts';
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
  readonly connection: LogConnection;
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
/** A pull that nothing answers is taken up again after about as long. */
const pullExpiresMs = 5_000;

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

function reactorOf(taking: readonly Taking[], abandoning: AbortController, connection: LogConnection): Reactor {
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
  readonly workOn: (message: JsMsg) => Promise<void>;
  /** Aborts when what is in flight is given up. */
  readonly abandoned: AbortSignal;
}

async function startTaking<Worker extends ReactorName>(
  { connection, log }: ReactorOptions<Worker>,
  { workOn, abandoned, ...declaration }: TakingOptions,
): Promise<Taking> {
  const { durable, delivery } = declaration;
  await ensureConsumer(connection, declaration, log);
  const stopping = new AbortController();
  const slots = createSlots(delivery.concurrency);
  let messages: ConsumerMessages | undefined;

  const consume = async () => {
    const consumer = await connection.jetStream.consumers.get(delivery.stream, durable);
    // Without the abort the client would wait without end for a consumer that was deleted.
    messages = await consumer.consume({
      max_messages: delivery.concurrency,
      expires: pullExpiresMs,
      abort_on_missing_resource: true,
    });
    if (stopping.signal.aborted) takeNoMore(messages);
    for await (const message of messages) {
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
      await waitUntilConnected(connection, pullExpiresMs);
      await ensureConsumer(connection, declaration, log).catch((error: unknown) =>
        log.warn({ error }, 'the consumer can not be had yet'),
      );
    }
  })();
  return {
    inFlight: slots.count,
    drained: () => {
      stopping.abort();
      if (messages !== undefined) takeNoMore(messages);
      return running.then(slots.idle);
    },
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

/** Waits for something, but no longer than so many milliseconds. */
async function within(milliseconds: number, work: Promise<unknown>, { clock }: LogConnection): Promise<void> {
  const done = new AbortController();
  await Promise.race([work, clock.sleep(milliseconds, done.signal)]);
  done.abort();
}
