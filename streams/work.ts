import type { EventName, ReactorDelivery } from '../schemas/catalog.ts';
import { decodeEvent } from '../schemas/decode.ts';
import type { DecodedEvent } from '../schemas/envelope.ts';
import { type Appended, append, appendIfNewer, OutageError } from './append.ts';
import { backoffMs } from './durations.ts';
import { failpoint } from './failpoints.ts';
import { createHeartbeats } from './heartbeats.ts';
import type {
  Decision,
  MessageContext,
  PlannedAppend,
  ReactorHandlers,
  ReactorName,
  ReactorOptions,
  ReactorOutcome,
} from './reactor.ts';
import { appendRejected, type Rejection } from './rejected.ts';
import type { StreamMessage } from './stream-reader.ts';
import type { StartedSpan } from './telemetry/tracing.ts';
import { type Cause, causeOf } from './trace-headers.ts';
import type { DeliveredMessage, RuntimeConnection } from './transport.ts';

/** Messages whose handler failed are remembered so far; the oldest is forgotten, and its count begins again. */
const failuresRememberedMax = 10_000;

/** One message to work on, and what to say of it when it is done: it comes from its stream, or from REJECTED again. */
export interface Task {
  readonly sequence: number;
  readonly message: StreamMessage;
  /** How often it was delivered, this time included. */
  readonly attempt: number;
  /** It took effect, with so many events appended. */
  done(appended: number): Promise<void> | void;
  /** Sets it aside, with the trace that its work belongs to. */
  reject(rejection: Rejection, cause: Cause): Promise<void>;
}

interface Work<Worker extends ReactorName> {
  readonly options: ReactorOptions<Worker>;
  readonly delivery: ReactorDelivery;
  readonly failures: Map<number, number>;
  readonly signal: AbortSignal;
}

/** What there is to do for a delivered message; undefined where that was nothing, or is done. */
export type OpenTask = (message: DeliveredMessage) => Task | Promise<Task | undefined>;

/** What a reactor does with one message. The promise never fails: a message that could not be finished comes again. */
export function createWork<Worker extends ReactorName>(
  options: ReactorOptions<Worker>,
  delivery: ReactorDelivery,
  signal: AbortSignal,
  open: OpenTask,
): (message: DeliveredMessage) => Promise<void> {
  const work: Work<Worker> = { options, delivery, signal, failures: new Map() };
  const heartbeats = createHeartbeats(options.connection.clock, delivery.ackWaitMs);
  return async (message) => {
    const stopHeartbeats = heartbeats.begin(message);
    try {
      const opened = open(message);
      const task = opened instanceof Promise ? await opened : opened;
      if (task !== undefined) await workOn(task, message, work);
    } catch (error) {
      // Neither ack nor nak: the message comes again after its ack wait.
      options.log.warn({ error, sequence: message.seq }, 'a message could not be finished and will be delivered again');
    } finally {
      stopHeartbeats();
    }
  };
}

/** Messages as they come from the reactor's own stream. */
export function streamTasks<Worker extends ReactorName>(
  { connection, worker }: ReactorOptions<Worker>,
  { stream }: ReactorDelivery,
): OpenTask {
  return (message) => {
    const { seq: sequence, subject, data: payload } = message;
    const attempt = message.info.redeliveryCount;
    return {
      sequence,
      message: { subject, payload, ...causeOf((name) => message.headers?.get(name)) },
      attempt,
      done: () => message.ack(),
      reject: async (rejection, cause) => {
        const source = { stream, sequence, subject, payload, attempts: attempt, ...cause };
        await appendRejected(connection, worker, source, rejection);
        failpoint('set-aside');
        message.term();
      },
    };
  };
}

async function workOn<Worker extends ReactorName>(
  task: Task,
  message: DeliveredMessage,
  work: Work<Worker>,
): Promise<void> {
  const { options, delivery, failures, signal } = work;
  const { connection, worker, log } = options;
  const { sequence } = task;
  const { subject, payload } = task.message;
  const version = delivery.stream === 'INGEST' ? sequence : null;
  const outcome = startOutcome(task, options);
  try {
    const decoded = decodeEvent(delivery.stream, payload, subject);
    if (!decoded.ok) {
      const { reason, message: text } = decoded;
      outcome.begin(task.message);
      return await reject(task, work, { reason, message: text, version }, outcome);
    }
    outcome.begin(firstCause(decoded.event, task.message));
    const context = { subject, sequence, ...outcome.cause, signal };
    const decision = await handle(options.handlers, decoded.event, context);
    if (decision.kind === 'reject') return await reject(task, work, decision, outcome);
    if (decision.kind === 'retry') return retry(task, message, work, decision.reason, outcome);
    const planned = decision.kind === 'append' ? decision.events : [];
    failpoint('decided');
    const appended = await Promise.all(planned.map((event) => appendPlanned(connection, worker, event, context)));
    failpoint('appended');
    await task.done(appended.filter((one) => one !== undefined).length);
    failures.delete(sequence);
    outcome.report(decision.kind, decision.kind === 'skip' ? decision.reason : '');
  } catch (error) {
    if (error instanceof OutageError) return retry(task, message, work, error.message, outcome);
    const attempts = countFailure(failures, sequence);
    log.error({ error, sequence, attempts }, 'a handler failed');
    if (attempts < delivery.failedAttemptsMax)
      return retry(task, message, work, `the handler failed: ${String(error)}`, outcome);
    const text = `failed ${attempts} times: ${String(error)}`;
    await reject(task, work, { reason: 'handler_failed', message: text, version }, outcome);
    failures.delete(sequence);
  }
}

/** What the event says of its cause, else the headers of its message. */
function firstCause(event: Cause, message: Cause): Cause {
  return { traceId: event.traceId ?? message.traceId, traceparent: event.traceparent ?? message.traceparent };
}

interface Outcome {
  /** What the work hands on: its own span where spans are made. */
  cause: Required<Cause>;
  /** Begins the span of this work where spans are made. */
  begin(cause: Cause): void;
  report(kind: ReactorOutcome['kind'], detail: string): void;
}

function startOutcome<Worker extends ReactorName>(task: Task, options: ReactorOptions<Worker>): Outcome {
  const { clock, telemetry } = options.connection;
  const { metrics, tracing } = telemetry;
  const began = clock.monotonicMs();
  const { sequence } = task;
  const { subject } = task.message;
  let span: StartedSpan | undefined;
  const outcome: Outcome = {
    cause: { traceId: undefined, traceparent: undefined },
    begin: ({ traceId, traceparent: parent }) => {
      const named = {
        'messaging.system': 'nats',
        'messaging.destination.name': subject,
        'lakehouse.sequence': sequence,
      };
      const attributes = { ...named, ...(traceId === undefined ? {} : { 'lakehouse.trace_id': traceId }) };
      span = tracing?.start({ name: `${options.worker} process`, kind: 'consumer', parent, attributes });
      outcome.cause = { traceId, traceparent: span?.traceparent ?? parent };
    },
    report: (kind, detail) => {
      const durationMs = clock.monotonicMs() - began;
      metrics.reactorMessages(options.worker, kind)(durationMs / 1_000);
      span?.end(kind === 'retry' || kind === 'reject' ? detail : undefined, { 'lakehouse.outcome': kind });
      options.onOutcome?.({ kind, detail, subject, sequence, durationMs, traceId: outcome.cause.traceId });
    },
  };
  return outcome;
}

function countFailure(failures: Map<number, number>, sequence: number): number {
  const attempts = (failures.get(sequence) ?? 0) + 1;
  failures.delete(sequence);
  failures.set(sequence, attempts);
  const oldest = failures.keys().next();
  if (failures.size > failuresRememberedMax && oldest.done !== true) failures.delete(oldest.value);
  return attempts;
}

function retry<Worker extends ReactorName>(
  task: Task,
  message: DeliveredMessage,
  { options, delivery }: Work<Worker>,
  detail: string,
  outcome: Outcome,
): void {
  const { attempt, sequence } = task;
  const waitMs = backoffMs(attempt, delivery.retryFirstMs, delivery.retryMaxMs);
  options.log.info({ sequence, attempt, waitMs }, `will try again: ${detail}`);
  message.nak(waitMs);
  outcome.report('retry', detail);
}

/** Sets aside first and terminates then: in between the message comes again, and its row is there once. */
async function reject<Worker extends ReactorName>(
  task: Task,
  { options, delivery }: Work<Worker>,
  { reason, message: text, version }: Rejection,
  outcome: Outcome,
): Promise<void> {
  await task.reject({ reason, message: text, version }, outcome.cause);
  options.log.warn({ stream: delivery.stream, sequence: task.sequence, reason }, `rejected: ${text}`);
  outcome.report('reject', text);
}

function handle<Worker extends ReactorName>(
  handlers: ReactorHandlers<Worker>,
  event: DecodedEvent<EventName, unknown>,
  context: MessageContext,
): Decision | Promise<Decision> {
  // The catalog made the table complete and its types right; a lookup by name loses that, so it is said once here.
  const table = handlers as unknown as Record<
    string,
    (event: DecodedEvent<EventName, unknown>, context: MessageContext) => Decision | Promise<Decision>
  >;
  const handler = table[event.type];
  if (handler === undefined) throw new Error(`no handler for ${event.type}`);
  return handler(event, context);
}

async function appendPlanned<Name extends EventName>(
  connection: RuntimeConnection,
  worker: string,
  event: PlannedAppend<Name>,
  { traceId, traceparent }: Cause,
): Promise<Appended | undefined> {
  const options = { messageId: event.messageId, source: `${worker}-worker`, traceId, traceparent };
  return 'decide' in event
    ? appendIfNewer(connection, event.name, event.tokens, event.decide, options)
    : append(connection, event.name, event.tokens, event.data, options);
}
