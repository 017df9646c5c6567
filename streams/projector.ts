import { type ConsumerMessages, DeliverPolicy, type JsMsg, type OrderedConsumerOptions } from 'nats';
import type { EventData, EventsOf, StreamName } from '../schemas/catalog.ts';
import { decodeEvent } from '../schemas/decode.ts';
import type { DecodedEvent } from '../schemas/envelope.ts';
import type { LogConnection } from './connection.ts';
import { backoffMs, fromNanos } from './durations.ts';
import type { RuntimeLog } from './logger.ts';
import { createFoldProgress, type FoldProgress } from './progress.ts';
import { appendRejected } from './rejected.ts';

export interface FoldContext {
  readonly sequence: number;
  readonly subject: string;
  /** When the server stored it, in milliseconds since 1970. */
  readonly storedAtMs: number;
  /** The bytes as they lie in the stream. */
  readonly payload: Uint8Array;
  readonly traceId: string | undefined;
}

export type FoldHandlers<Stream extends StreamName> = {
  readonly [Name in EventsOf<Stream>]: (
    event: DecodedEvent<Name, EventData<Name>>,
    context: FoldContext,
  ) => void | Promise<void>;
};

interface FoldOptions<Stream extends StreamName> {
  readonly connection: LogConnection;
  readonly stream: Stream;
  /** Who folds, for rejections and logs. */
  readonly worker: string;
  /** The sequence that the state holds already: folding begins behind it. */
  readonly checkpoint: number;
  readonly log: RuntimeLog;
  /** Ends the fold after this sequence (a side index of the past). */
  readonly until?: number;
  /** Only these subjects; goes with `until`. */
  readonly filterSubject?: string;
  /** Called between slices: a live process lets searches in here. */
  readonly betweenEvents?: () => Promise<void> | undefined;
}

/** Folds events: each is decoded first, and what can not be read goes to REJECTED. */
export interface EventFoldOptions<Stream extends StreamName> extends FoldOptions<Stream> {
  readonly handlers: FoldHandlers<Stream>;
  /** Leaves what can not be read out of REJECTED: for folds that look at a log that somebody else works on. */
  readonly onlyLooks?: boolean;
}

/** Folds bytes: nothing is decoded and nothing rejected, for projections that keep payloads as they are. */
export interface PayloadFoldOptions<Stream extends StreamName> extends FoldOptions<Stream> {
  readonly onPayload: (context: Omit<FoldContext, 'traceId'>) => void | Promise<void>;
}

export type ProjectorOptions<Stream extends StreamName> = EventFoldOptions<Stream> | PayloadFoldOptions<Stream>;

export interface Projector {
  readonly progress: FoldProgress;
  /** Resolves when everything that was in the stream at the start is folded. */
  readonly caughtUp: Promise<void>;
  /** True while nothing that is known of is left to fold. */
  readonly isCaughtUp: () => boolean;
  /** Resolves when `until` is folded, or when the projector was stopped. */
  readonly finished: Promise<void>;
  stop(): Promise<void>;
}

/**
 * Bounds what a slow fold holds in memory. Messages, not bytes: the client takes one of the two, and a message larger
 * than a bound in bytes would never be delivered. As fast as 2,000 when replaying.
 */
const bufferMessagesMax = 256;
const sliceMs = 10;
const restartFirstMs = 100;
const restartMaxMs = 5_000;

/**
 * Runs a projector: folds one stream in order, from its own checkpoint, each event once. JetStream keeps nothing for it:
 * a consumer that is lost is made anew behind the last folded sequence. An event that can not be read is set aside in
 * REJECTED and the fold goes on.
 */
export function startProjector<Stream extends StreamName>(options: ProjectorOptions<Stream>): Projector {
  const { connection, stream, log } = options;
  const progress = createFoldProgress(options.checkpoint);
  const stopping = new AbortController();
  const target = { known: false, sequence: options.checkpoint };
  const caughtUp = deferred();
  let messages: ConsumerMessages | undefined;

  const aim = async () => {
    const { state } = await connection.manager.streams.info(stream);
    target.sequence = Math.min(state.last_seq, options.until ?? Number.POSITIVE_INFINITY);
    target.known = true;
    // What a stream has let go of is never delivered: waiting for it would never end.
    if (state.first_seq > target.sequence) progress.advance(target.sequence);
    void progress.waitFor(target.sequence, stopping.signal).then(() => caughtUp.resolve());
  };

  const fold = async () => {
    if (!target.known) await aim();
    if (options.until !== undefined && progress.sequence() >= target.sequence) return;
    const consumer = await connection.jetStream.consumers.get(stream, orderedFrom(options, progress.sequence() + 1));
    const bounded = options.until !== undefined;
    if (bounded && (await consumer.info()).num_pending === 0) return progress.advance(target.sequence);
    messages = await consumer.consume({ max_messages: bufferMessagesMax });
    let sliceBegan = connection.clock.monotonicMs();
    for await (const message of messages) {
      if (stopping.signal.aborted) return;
      if (message.seq <= progress.sequence()) continue;
      if (bounded && message.seq > target.sequence) return progress.advance(target.sequence);
      await foldOne(message, options);
      // Behind the last message of a filter nothing is left, however far the stream goes.
      progress.advance(bounded && message.info.pending === 0 ? target.sequence : message.seq);
      if (bounded && progress.sequence() >= target.sequence) return;
      await options.betweenEvents?.();
      if (connection.clock.monotonicMs() - sliceBegan < sliceMs) continue;
      await new Promise((resolve) => setImmediate(resolve));
      sliceBegan = connection.clock.monotonicMs();
    }
  };

  const finished = (async () => {
    for (let attempt = 1; !stopping.signal.aborted; attempt++) {
      const before = progress.sequence();
      const ended = await fold().then(
        () => true,
        (error: unknown) => {
          log.warn(
            { error, stream, sequence: progress.sequence() },
            'the fold was interrupted and goes on behind its last event',
          );
          return false;
        },
      );
      if (ended && (options.until !== undefined || stopping.signal.aborted)) return;
      if (progress.sequence() > before) attempt = 1;
      await connection.clock.sleep(backoffMs(attempt, restartFirstMs, restartMaxMs), stopping.signal);
    }
  })().finally(() => messages?.stop());

  return {
    progress,
    caughtUp: caughtUp.promise,
    isCaughtUp: () => target.known && progress.sequence() >= target.sequence,
    finished,
    stop: async () => {
      stopping.abort();
      messages?.stop();
      await Promise.race([finished, connection.clock.sleep(restartFirstMs)]);
    },
  };
}

function orderedFrom<Stream extends StreamName>(
  options: ProjectorOptions<Stream>,
  sequence: number,
): Partial<OrderedConsumerOptions> {
  return {
    deliver_policy: DeliverPolicy.StartSequence,
    opt_start_seq: sequence,
    ...(options.filterSubject === undefined ? {} : { filterSubjects: options.filterSubject }),
  };
}

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

async function foldOne<Stream extends StreamName>(message: JsMsg, options: ProjectorOptions<Stream>): Promise<void> {
  const { connection, stream, worker, log } = options;
  const { seq: sequence, subject, data: payload } = message;
  const received = { sequence, subject, payload, storedAtMs: fromNanos(message.info.timestampNanos) };
  if ('onPayload' in options) return options.onPayload(received);
  const decoded = decodeEvent(stream, payload);
  if (!decoded.ok) {
    log.warn({ stream, sequence, reason: decoded.reason }, `an event can not be folded: ${decoded.message}`);
    // A rejection that can not be folded would reject itself for ever.
    if (stream === 'REJECTED' || options.onlyLooks === true) return;
    const rejection = { reason: decoded.reason, message: decoded.message, version: null };
    await appendRejected(connection, worker, { stream, sequence, subject, payload, attempts: 1 }, rejection).catch(
      (error: unknown) => log.error({ error, stream, sequence }, 'the rejection could not be appended'),
    );
    return;
  }
  const context: FoldContext = { ...received, traceId: decoded.event.traceId };
  const table = options.handlers as unknown as Record<
    string,
    (event: unknown, context: FoldContext) => void | Promise<void>
  >;
  const handler = table[decoded.event.type];
  if (handler === undefined) throw new Error(`no handler for ${decoded.event.type}`);
  const done = handler(decoded.event, context);
  if (done !== undefined) await done;
}
