import type { JsMsg } from 'nats';
import type { EventName, ReactorDelivery } from '../schemas/catalog.ts';
import { decodeEvent } from '../schemas/decode.ts';
import type { DecodedEvent } from '../schemas/envelope.ts';
import { append, appendIfNewer, OutageError } from './append.ts';
import type { LogConnection } from './connection.ts';
import { backoffMs } from './durations.ts';
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

/** Messages whose handler failed are remembered so far; the oldest is forgotten, and its count begins again. */
const failuresRememberedMax = 10_000;
/** A handler that never ends loses its message to another instance after this many ack waits. */
const ackWaitsMax = 10;
const heartbeatsPerAckWait = 3;

interface Work<Worker extends ReactorName> {
  readonly options: ReactorOptions<Worker>;
  readonly delivery: ReactorDelivery;
  readonly failures: Map<number, number>;
  readonly signal: AbortSignal;
}

/** What a reactor does with one message. The promise never fails: a message that could not be finished comes again. */
export function createWork<Worker extends ReactorName>(
  options: ReactorOptions<Worker>,
  delivery: ReactorDelivery,
  signal: AbortSignal,
): (message: JsMsg) => Promise<void> {
  const work: Work<Worker> = { options, delivery, signal, failures: new Map() };
  return async (message) => {
    const stopHeartbeats = startHeartbeats(message, delivery.ackWaitMs);
    try {
      await workOn(message, work);
    } catch (error) {
      // Neither ack nor nak: the message comes again after its ack wait.
      options.log.warn({ error, sequence: message.seq }, 'a message could not be finished and will be delivered again');
    } finally {
      stopHeartbeats();
    }
  };
}

function startHeartbeats(message: JsMsg, ackWaitMs: number): () => void {
  let left = ackWaitsMax * heartbeatsPerAckWait;
  const timer = setInterval(() => {
    if (left-- > 0) message.working();
    else clearInterval(timer);
  }, ackWaitMs / heartbeatsPerAckWait);
  return () => clearInterval(timer);
}

async function workOn<Worker extends ReactorName>(message: JsMsg, work: Work<Worker>): Promise<void> {
  const { options, delivery, failures, signal } = work;
  const { connection, worker, log } = options;
  const outcome = startOutcome(message, options);
  try {
    const decoded = decodeEvent(delivery.stream, message.data);
    if (!decoded.ok) {
      const { reason, message: text } = decoded;
      return await reject(message, work, { reason, message: text, version: versionOf(message, delivery) }, outcome);
    }
    const traceId = decoded.event.traceId ?? (message.headers?.get('X-Lakehouse-Trace-Id') || undefined);
    outcome.traceId = traceId;
    const context = { subject: message.subject, sequence: message.seq, traceId, signal };
    const decision = await handle(options.handlers, decoded.event, context);
    if (decision.kind === 'reject') return await reject(message, work, decision, outcome);
    if (decision.kind === 'retry') return retry(message, work, decision.reason, outcome);
    if (decision.kind === 'append')
      await Promise.all(decision.events.map((event) => appendPlanned(connection, worker, event, traceId)));
    message.ack();
    failures.delete(message.seq);
    outcome.report(decision.kind, decision.kind === 'skip' ? decision.reason : '');
  } catch (error) {
    if (error instanceof OutageError) return retry(message, work, error.message, outcome);
    const attempts = countFailure(failures, message.seq);
    log.error({ error, sequence: message.seq, attempts }, 'a handler failed');
    if (attempts < delivery.failedAttemptsMax)
      return retry(message, work, `the handler failed: ${String(error)}`, outcome);
    const text = `failed ${attempts} times: ${String(error)}`;
    const rejection: Rejection = { reason: 'handler_failed', message: text, version: versionOf(message, delivery) };
    await reject(message, work, rejection, outcome);
    failures.delete(message.seq);
  }
}

interface Outcome {
  traceId: string | undefined;
  report(kind: ReactorOutcome['kind'], detail: string): void;
}

function startOutcome<Worker extends ReactorName>(message: JsMsg, options: ReactorOptions<Worker>): Outcome {
  const { clock, telemetry } = options.connection;
  const { metrics } = telemetry;
  const began = clock.monotonicMs();
  const { subject, seq: sequence } = message;
  const outcome: Outcome = {
    traceId: undefined,
    report: (kind, detail) => {
      const durationMs = clock.monotonicMs() - began;
      metrics.reactorMessages(options.worker, kind)(durationMs / 1_000);
      options.onOutcome?.({ kind, detail, subject, sequence, durationMs, traceId: outcome.traceId });
    },
  };
  return outcome;
}

function versionOf(message: JsMsg, delivery: ReactorDelivery): number | null {
  return delivery.stream === 'INGEST' ? message.seq : null;
}

function countFailure(failures: Map<number, number>, sequence: number): number {
  const attempts = (failures.get(sequence) ?? 0) + 1;
  failures.delete(sequence);
  failures.set(sequence, attempts);
  const oldest = failures.keys().next();
  if (failures.size > failuresRememberedMax && oldest.done !== true) failures.delete(oldest.value);
  return attempts;
}

function retry<Worker extends ReactorName>(message: JsMsg, work: Work<Worker>, detail: string, outcome: Outcome): void {
  const { options, delivery } = work;
  const attempt = message.info.redeliveryCount;
  const waitMs = backoffMs(attempt, delivery.retryFirstMs, delivery.retryMaxMs);
  options.log.info({ sequence: message.seq, attempt, waitMs }, `will try again: ${detail}`);
  message.nak(waitMs);
  outcome.report('retry', detail);
}

/** Sets aside first and terminates then: in between the message comes again, and its row is there once. */
async function reject<Worker extends ReactorName>(
  message: JsMsg,
  { options, delivery }: Work<Worker>,
  rejection: Rejection,
  outcome: Outcome,
): Promise<void> {
  const { connection, worker, log } = options;
  const { subject, seq: sequence, data: payload } = message;
  const { stream } = delivery;
  const { reason, message: text, version } = rejection;
  const attempts = message.info.redeliveryCount;
  const source = { stream, sequence, subject, payload, attempts };
  await appendRejected(connection, worker, source, { reason, message: text, version });
  log.warn({ stream, sequence, reason }, `rejected: ${text}`);
  message.term();
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
  connection: LogConnection,
  worker: string,
  event: PlannedAppend<Name>,
  traceId: string | undefined,
): Promise<void> {
  const options = { messageId: event.messageId, source: `${worker}-worker`, traceId };
  if ('decide' in event) await appendIfNewer(connection, event.name, event.tokens, event.decide, options);
  else await append(connection, event.name, event.tokens, event.data, options);
}
