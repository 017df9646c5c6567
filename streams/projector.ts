import type { EventData, EventsOf, StreamName } from '../schemas/catalog.ts';
import { decodeEvent } from '../schemas/decode.ts';
import type { DecodedEvent, DecodeFailure } from '../schemas/envelope.ts';
import { OutageError } from './append.ts';
import { backoffMs, fromNanos } from './durations.ts';
import { failpoint } from './failpoints.ts';
import type { RuntimeLog } from './logger.ts';
import { isNothingLeft, type OrderedMessages, openOrdered } from './ordered.ts';
import { createFoldProgress, type FoldProgress } from './progress.ts';
import { appendRejected } from './rejected.ts';
import { type Seen, watchForStalls } from './stalls.ts';
import { causeOf } from './trace-headers.ts';
import { type DeliveredMessage, type RuntimeConnection, waitUntilConnected } from './transport.ts';

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
  readonly connection: RuntimeConnection;
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
  /**
   * Holds the fold before each event for as long as it gives something to wait for: somebody looks at the whole state, and
   * it has to be that of one position.
   */
  readonly held?: () => Promise<void> | undefined;
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

/** What a slow fold holds in memory, about: so many messages of the stream's mean size, between two bounds. */
const bufferBytesAim = 4 * 1024 * 1024;
const bufferMessagesMax = 1_000;
const bufferMessagesMin = 8;
const sliceMs = 10;
const restartFirstMs = 100;
const restartMaxMs = 5_000;
const stopWaitMs = 1_000;

/** What is to be folded before this projector has caught up. */
interface Target {
  readonly sequence: number;
  readonly bufferMessages: number;
}

/**
 * Runs a projector: folds one stream in order, from its own checkpoint, each event once. JetStream keeps nothing for it:
 * a consumer that is lost is made anew behind the last folded sequence. An event that can not be read is set aside in
 * REJECTED and the fold goes on.
 */
export function startProjector<Stream extends StreamName>(options: ProjectorOptions<Stream>): Projector {
  const { connection, stream, log } = options;
  const progress = createFoldProgress(options.checkpoint);
  const stopping = new AbortController();
  const caughtUp = deferred();
  let target: Target | undefined;
  let source: OrderedMessages | undefined;

  const fold = async () => {
    // What is asked while the server is away is thrown away, and its timeout would be waited for.
    await waitUntilConnected(connection, restartMaxMs);
    if (target === undefined) {
      const aimed = await aim(options, progress);
      target = aimed;
      void progress.waitFor(aimed.sequence, stopping.signal).then(caughtUp.resolve);
    }
    if (options.until !== undefined && progress.sequence() >= target.sequence) return;
    source = await openOrdered(connection, stream, {
      sequence: progress.sequence() + 1,
      filterSubject: options.filterSubject,
      messagesMax: target.bufferMessages,
    });
    try {
      if (!stopping.signal.aborted) await foldFrom(source, target, options, progress, stopping.signal);
    } finally {
      source.close();
    }
  };

  const foldUntilDone = async () => {
    for (let attempt = 1; !stopping.signal.aborted; attempt++) {
      const before = progress.sequence();
      const ended = await fold().then(
        () => true,
        (error: unknown) => {
          const fields = { error, stream, sequence: progress.sequence() };
          log.warn(fields, 'the fold was interrupted and goes on behind its last event');
          return false;
        },
      );
      if (ended && (options.until !== undefined || stopping.signal.aborted)) return;
      if (progress.sequence() > before) attempt = 1;
      await connection.clock.sleep(backoffMs(attempt, restartFirstMs, restartMaxMs), stopping.signal);
    }
  };
  const over = new AbortController();
  const finished = foldUntilDone().finally(() => {
    caughtUp.resolve();
    over.abort();
  });
  void watchForStalls({
    connection,
    log,
    stream,
    consumer: options.worker,
    stallMs: connection.stalls?.limits.foldStallMs ?? 0,
    see: () => seeFold(options, progress),
    restart: () => source?.breakOff('it had stalled'),
    signal: over.signal,
  });

  return {
    progress,
    caughtUp: caughtUp.promise,
    isCaughtUp: () => target !== undefined && progress.sequence() >= target.sequence,
    finished,
    stop: async () => {
      stopping.abort();
      source?.stop();
      const done = new AbortController();
      await Promise.race([finished, connection.clock.sleep(stopWaitMs, done.signal)]);
      done.abort();
    },
  };
}

/** What is left to fold. The end of the stream alone does not tell: its last messages may be gone, or another's. */
async function seeFold<Stream extends StreamName>(
  { connection, stream, filterSubject, until }: ProjectorOptions<Stream>,
  progress: FoldProgress,
): Promise<Seen> {
  const sequence = progress.sequence();
  const { lastSequence } = await connection.transport.streamExtent(stream);
  const waiting = Math.max(0, Math.min(lastSequence, until ?? lastSequence) - sequence);
  const left = { from: sequence + 1, to: until ?? Number.POSITIVE_INFINITY, filterSubject };
  const isDone = waiting === 0 || (await isNothingLeft(connection, stream, left));
  return { waiting: isDone ? 0 : waiting, mark: String(sequence) };
}

async function aim<Stream extends StreamName>(
  options: ProjectorOptions<Stream>,
  progress: FoldProgress,
): Promise<Target> {
  const extent = await options.connection.transport.streamExtent(options.stream);
  const sequence = Math.min(extent.lastSequence, options.until ?? Number.POSITIVE_INFINITY);
  // What a stream has let go of is never delivered: waiting for it would never end.
  if (extent.firstSequence > sequence) progress.advance(sequence);
  const meanBytes = Math.max(1, extent.bytes / Math.max(1, extent.messages));
  const fitting = Math.floor(bufferBytesAim / meanBytes);
  return { sequence, bufferMessages: Math.min(bufferMessagesMax, Math.max(bufferMessagesMin, fitting)) };
}

/** Folds what comes, until the signal aborts; with `until` as far as the target. */
async function foldFrom<Stream extends StreamName>(
  source: OrderedMessages,
  target: Target,
  options: ProjectorOptions<Stream>,
  progress: FoldProgress,
  signal: AbortSignal,
): Promise<void> {
  const { connection, stream, filterSubject, until } = options;
  const { clock } = connection;
  // The server's count alone is not relied on: a fold that ends too early would be wrong without a word.
  const nothingLeft = () =>
    isNothingLeft(connection, stream, { from: progress.sequence() + 1, to: target.sequence, filterSubject });
  const bounded = until !== undefined;
  if (source.pendingAtStart === 0 && (await nothingLeft())) progress.advance(target.sequence);
  if (bounded && progress.sequence() >= target.sequence) return;
  let sliceBegan = clock.monotonicMs();
  for await (const message of source.read()) {
    if (signal.aborted) return;
    if (bounded && message.seq > target.sequence) return progress.advance(target.sequence);
    for (let held = options.held?.(); held !== undefined; held = options.held?.()) await held;
    if (signal.aborted) return;
    const folding = foldOne(message, options);
    if (folding !== undefined) await folding;
    failpoint('folded');
    progress.advance(message.seq);
    // Behind the last message of a filter, or before messages that were deleted, the target itself never comes.
    if (progress.sequence() < target.sequence && message.info.pending === 0 && (await nothingLeft()))
      progress.advance(target.sequence);
    if (bounded && progress.sequence() >= target.sequence) return;
    await options.betweenEvents?.();
    if (clock.monotonicMs() - sliceBegan < sliceMs) continue;
    await new Promise((resolve) => setImmediate(resolve));
    sliceBegan = clock.monotonicMs();
  }
}

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve: () => resolve() };
}

/**
 * Folds one event. A handler that does not wait has done its work when this returns, so that nobody can look between what
 * an event changed and the position that says so.
 */
function foldOne<Stream extends StreamName>(
  message: DeliveredMessage,
  options: ProjectorOptions<Stream>,
): void | Promise<void> {
  const { stream } = options;
  const { seq: sequence, subject, data: payload } = message;
  const received = { sequence, subject, payload, storedAtMs: fromNanos(message.info.timestampNanos) };
  if ('onPayload' in options) return options.onPayload(received);
  const decoded = decodeEvent(stream, payload, subject);
  if (!decoded.ok) return setAside(message, decoded, options);
  const context: FoldContext = { ...received, traceId: decoded.event.traceId };
  const table = options.handlers as unknown as Record<
    string,
    (event: unknown, context: FoldContext) => void | Promise<void>
  >;
  const handler = table[decoded.event.type];
  if (handler === undefined) throw new Error(`no handler for ${decoded.event.type}`);
  return handler(decoded.event, context);
}

async function setAside<Stream extends StreamName>(
  { seq: sequence, subject, data: payload, headers }: DeliveredMessage,
  { reason, message }: DecodeFailure,
  { connection, stream, worker, log, onlyLooks }: EventFoldOptions<Stream>,
): Promise<void> {
  log.warn({ stream, sequence, reason }, `an event can not be folded: ${message}`);
  // A rejection that can not be folded would reject itself for ever.
  if (stream === 'REJECTED' || onlyLooks === true) return;
  const rejection = { reason, message, version: null };
  const source = { stream, sequence, subject, payload, attempts: 1, ...causeOf((name) => headers?.get(name)) };
  await appendRejected(connection, worker, source, rejection).catch((error: unknown) => {
    // While REJECTED is away the fold waits; what would fail forever must not hold it up.
    if (error instanceof OutageError) throw error;
    log.error({ error, stream, sequence }, 'the rejection could not be appended');
  });
}
