import { AckPolicy, type ConsumerConfig, type ConsumerMessages, DeliverPolicy, type JsMsg, ReplayPolicy } from 'nats';
import {
  deliveries,
  type EventData,
  type EventName,
  type EventsFor,
  type ReactorDelivery,
  type SubjectTokens,
  type WorkerName,
} from '../schemas/catalog.ts';
import { decodeEvent } from '../schemas/decode.ts';
import type { DecodedEvent } from '../schemas/envelope.ts';
import { append, appendIfNewer, OutageError } from './append.ts';
import type { LogConnection } from './connection.ts';
import { backoffMs, nanos } from './durations.ts';
import type { RuntimeLog } from './logger.ts';
import { appendRejected, type Rejection } from './rejected.ts';

export type ReactorName = { [W in WorkerName]: (typeof deliveries)[W] extends ReactorDelivery ? W : never }[WorkerName];

/** Where a message stands: its sequence is what versions and message ids are made of. */
export interface MessageContext {
  readonly subject: string;
  readonly sequence: number;
  readonly traceId: string | undefined;
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
  /** Overrides of the delivery policy, for tests that can not wait as long. */
  readonly delivery?: Partial<ReactorDelivery>;
}

export interface Reactor {
  /** Messages that this instance is working on. */
  readonly inFlight: () => number;
  /** Takes no more messages, finishes those in flight, and returns; those that take longer are delivered again later. */
  stop(drainMs: number): Promise<void>;
}

const restartWaitMs = 1_000;

/**
 * Runs a reactor: takes messages from a durable pull consumer, lets the handler decide, publishes what it decided, waits
 * for the publish acks and then acks the message. Running a message twice changes nothing. What fails because something
 * is away is retried without end; what would fail forever is set aside in REJECTED.
 */
export async function startReactor<Worker extends ReactorName>(options: ReactorOptions<Worker>): Promise<Reactor> {
  const { connection, worker, log } = options;
  const delivery: ReactorDelivery = { ...deliveries[worker], ...options.delivery };
  await ensureConsumer(connection, worker, delivery, log);
  const stopping = new AbortController();
  const inFlight = new Set<Promise<void>>();
  const failures = new Map<number, number>();
  let messages: ConsumerMessages | undefined;

  const consume = async () => {
    const consumer = await connection.jetStream.consumers.get(delivery.stream, worker);
    messages = await consumer.consume({ max_messages: delivery.concurrency });
    for await (const message of messages) {
      if (stopping.signal.aborted) return;
      const work = workOn(message, options, delivery, failures, stopping.signal).catch((error: unknown) => {
        // Neither ack nor nak: the message comes again after its ack wait.
        log.warn({ error, sequence: message.seq }, 'a message could not be finished and will be delivered again');
      });
      const tracked: Promise<void> = work.finally(() => inFlight.delete(tracked));
      inFlight.add(tracked);
      if (inFlight.size >= delivery.concurrency) await Promise.race(inFlight);
    }
  };
  const running = (async () => {
    while (!stopping.signal.aborted) {
      await consume().catch((error: unknown) => log.warn({ error }, 'the consumer failed and is taken up again'));
      if (stopping.signal.aborted) return;
      await connection.clock.sleep(restartWaitMs, stopping.signal);
      await ensureConsumer(connection, worker, delivery, log).catch(() => undefined);
    }
  })();

  return {
    inFlight: () => inFlight.size,
    stop: async (drainMs) => {
      stopping.abort();
      messages?.stop();
      const deadline = new AbortController();
      await Promise.race([Promise.all(inFlight), connection.clock.sleep(drainMs, deadline.signal)]);
      deadline.abort();
      await Promise.race([running, connection.clock.sleep(restartWaitMs)]);
    },
  };
}

async function ensureConsumer(
  connection: LogConnection,
  worker: string,
  delivery: ReactorDelivery,
  log: RuntimeLog,
): Promise<void> {
  const declared: Partial<ConsumerConfig> = {
    durable_name: worker,
    ack_policy: AckPolicy.Explicit,
    deliver_policy: DeliverPolicy.All,
    replay_policy: ReplayPolicy.Instant,
    ack_wait: nanos(delivery.ackWaitMs),
    max_ack_pending: delivery.ackPendingMax,
    max_deliver: -1,
  };
  const { consumers } = connection.manager;
  const existing = await consumers.info(delivery.stream, worker).catch(() => undefined);
  if (existing === undefined) {
    await consumers.add(delivery.stream, declared);
    return;
  }
  const found = existing.config as unknown as Record<string, unknown>;
  const drift = Object.entries(declared).filter(([field, value]) => found[field] !== value);
  if (drift.length === 0) return;
  const fields = drift.map(([field, value]) => `${field} is ${found[field]}, declared ${value}`);
  log.warn(
    { stream: delivery.stream, consumer: worker, drift: fields },
    'the consumer differs from its declaration; mending it',
  );
  await consumers.update(delivery.stream, worker, { ...existing.config, ...declared });
}

async function workOn<Worker extends ReactorName>(
  message: JsMsg,
  options: ReactorOptions<Worker>,
  delivery: ReactorDelivery,
  failures: Map<number, number>,
  signal: AbortSignal,
): Promise<void> {
  const { connection, worker, log } = options;
  const began = connection.clock.monotonicMs();
  const heartbeat = setInterval(() => message.working(), delivery.ackWaitMs / 3);
  let traceId: string | undefined;
  const report = (kind: ReactorOutcome['kind'], detail: string) =>
    options.onOutcome?.({
      kind,
      detail,
      traceId,
      subject: message.subject,
      sequence: message.seq,
      durationMs: connection.clock.monotonicMs() - began,
    });
  const retry = (detail: string) => {
    const waitMs = backoffMs(message.info.redeliveryCount, delivery.retryFirstMs, delivery.retryMaxMs);
    log.info({ sequence: message.seq, attempt: message.info.redeliveryCount, waitMs }, `will try again: ${detail}`);
    message.nak(waitMs);
    report('retry', detail);
  };
  const reject = async (rejection: Rejection) => {
    const { subject, seq: sequence, data: payload } = message;
    const attempts = message.info.redeliveryCount;
    await appendRejected(
      connection,
      worker,
      { stream: delivery.stream, sequence, subject, payload, attempts },
      rejection,
    );
    log.warn({ stream: delivery.stream, sequence, reason: rejection.reason }, `rejected: ${rejection.message}`);
    message.term();
    report('reject', rejection.message);
  };

  try {
    const decoded = decodeEvent(delivery.stream, message.data);
    if (!decoded.ok) {
      const version = delivery.stream === 'INGEST' ? message.seq : null;
      return await reject({ reason: decoded.reason, message: decoded.message, version });
    }
    traceId = decoded.event.traceId ?? message.headers?.get('X-Lakehouse-Trace-Id') ?? undefined;
    if (traceId === '') traceId = undefined;
    const context = { subject: message.subject, sequence: message.seq, traceId, signal };
    const decision = await handle(options.handlers, decoded.event, context);
    switch (decision.kind) {
      case 'reject':
        return await reject(decision);
      case 'retry':
        return retry(decision.reason);
      case 'append':
        await appendAll(connection, worker, decision.events, traceId);
    }
    message.ack();
    failures.delete(message.seq);
    report(decision.kind, decision.kind === 'skip' ? decision.reason : '');
  } catch (error) {
    if (error instanceof OutageError) return retry(error.message);
    const attempts = (failures.get(message.seq) ?? 0) + 1;
    failures.set(message.seq, attempts);
    log.error({ error, sequence: message.seq, attempts }, 'a handler failed');
    if (attempts < delivery.failedAttemptsMax) return retry(`the handler failed: ${String(error)}`);
    failures.delete(message.seq);
    const version = delivery.stream === 'INGEST' ? message.seq : null;
    await reject({ reason: 'handler_failed', message: `failed ${attempts} times: ${String(error)}`, version });
  } finally {
    clearInterval(heartbeat);
  }
}

function handle<Worker extends ReactorName>(
  handlers: ReactorHandlers<Worker>,
  event: DecodedEvent<EventName, unknown>,
  context: MessageContext,
): Decision | Promise<Decision> {
  // The catalog made the table complete and its types right; a lookup by name loses that, so it is said once here.
  const table = handlers as unknown as Record<
    string,
    (event: DecodedEvent<EventName, unknown>, context: MessageContext) => Decision
  >;
  const handler = table[event.type];
  if (handler === undefined) throw new Error(`no handler for ${event.type}`);
  return handler(event, context);
}

async function appendAll(
  connection: LogConnection,
  worker: string,
  events: readonly PlannedAppend[],
  traceId: string | undefined,
): Promise<void> {
  await Promise.all(events.map((event) => appendPlanned(connection, worker, event, traceId)));
}

async function appendPlanned<Name extends EventName>(
  connection: LogConnection,
  worker: string,
  event: PlannedAppend<Name>,
  traceId: string | undefined,
): Promise<void> {
  const options = { messageId: event.messageId, source: `${worker}-worker`, traceId };
  if ('decide' in event) await appendIfNewer(connection, event.name, event.tokens, event.decide, options);
  else await append(connection, event.name, event.tokens, event.data, options);
}
