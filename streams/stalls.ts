import type { StreamName } from '../schemas/catalog.ts';
import type { RuntimeLog } from './logger.ts';
import type { Metrics } from './telemetry/metrics.ts';
import type { RuntimeConnection } from './transport.ts';

export interface StallLimits {
  readonly lookEveryMs: number;
  /** A fold that has something to fold and does not move for so long has stalled. */
  readonly foldStallMs: number;
  /** A durable consumer, after so many of its ack waits: the server itself delivers again after one. */
  readonly ackWaits: number;
}

export const stallLimits: StallLimits = { lookEveryMs: 5_000, foldStallMs: 30_000, ackWaits: 2 };

/** A consumer that has work and does not get on with it. */
export interface Stall {
  readonly stream: StreamName;
  /** A durable consumer's name; of a fold, who folds. */
  readonly consumer: string;
  /** Messages that are there for it, about. */
  readonly waiting: number;
  /** Since it last moved. */
  readonly stalledMs: number;
  /** How often it was taken up again since then, this time included. */
  readonly restarts: number;
}

/** What happened, what it means, what is done. */
export function stallSentence({ consumer, stream, waiting, stalledMs, restarts }: Stall): string {
  return (
    `${consumer} of ${stream} has ${waiting} messages waiting and has not moved for ${Math.round(stalledMs / 1_000)} s; ` +
    `it is taken up again from where it was (${restarts === 1 ? 'once' : `${restarts} times`} so far)`
  );
}

/** The stalls of one process, where everybody who tells of them finds them. */
export interface Stalls {
  readonly limits: StallLimits;
  /** Those that last. */
  current(): readonly Stall[];
  /** Restarts since the process began. */
  readonly total: () => number;
  /** Tells each restart. */
  watch(listener: (stall: Stall) => void): void;
  report(stall: Stall): void;
  /** It moves again, or nobody works on it any more. */
  clear(stall: Pick<Stall, 'stream' | 'consumer'>): void;
}

export function createStalls(metrics: Metrics, limits: StallLimits = stallLimits): Stalls {
  const current = new Map<string, Stall>();
  const listeners: ((stall: Stall) => void)[] = [];
  const keyOf = ({ stream, consumer }: Pick<Stall, 'stream' | 'consumer'>) => `${stream} ${consumer}`;
  let total = 0;
  return {
    limits,
    current: () => [...current.values()],
    total: () => total,
    watch: (listener) => void listeners.push(listener),
    report: (stall) => {
      total++;
      current.set(keyOf(stall), stall);
      metrics.countStalled(stall.stream, stall.consumer);
      for (const listener of listeners) listener(stall);
    },
    clear: (stall) => void current.delete(keyOf(stall)),
  };
}

/** What is seen of a consumer at one moment. */
export interface Seen {
  readonly waiting: number;
  /** Differs from the last one where it moved. */
  readonly mark: string;
}

interface Watched {
  readonly mark: string | undefined;
  /** When it moved last, or was taken up again last. */
  readonly sinceMs: number;
  readonly movedMs: number;
  readonly restarts: number;
}

/** One look at a consumer: what is known of it now, and whether it is to be taken up again. Pure. */
export function look(
  before: Watched | undefined,
  seen: Seen | undefined,
  nowMs: number,
  stallMs: number,
): { readonly watched: Watched; readonly stalled: boolean } {
  const moving = { mark: seen?.mark, sinceMs: nowMs, movedMs: nowMs, restarts: 0 };
  // A server that is away, or does not answer, is told of elsewhere.
  if (before === undefined || seen === undefined || seen.waiting === 0 || seen.mark !== before.mark)
    return { watched: moving, stalled: false };
  if (nowMs - before.sinceMs < stallMs) return { watched: before, stalled: false };
  return { watched: { ...before, sinceMs: nowMs, restarts: before.restarts + 1 }, stalled: true };
}

export interface WatchOptions {
  readonly connection: RuntimeConnection;
  readonly log: RuntimeLog;
  readonly stream: StreamName;
  readonly consumer: string;
  readonly stallMs: number;
  readonly see: () => Promise<Seen>;
  /** Takes it up again; the first time is 1. */
  readonly restart: (attempt: number) => Promise<void> | void;
  /** Ends the watch. */
  readonly signal: AbortSignal;
}

/**
 * Looks at a consumer from time to time until the signal aborts. One that has work and does not move is told, in the log,
 * in the metrics and to whoever watches `connection.stalls`, and taken up again; and again after as long.
 */
export async function watchForStalls(options: WatchOptions): Promise<void> {
  const { connection, log, stream, consumer, stallMs, see, restart, signal } = options;
  const { stalls, clock } = connection;
  if (stalls === undefined) return;
  let watched: Watched | undefined;
  for (;;) {
    await clock.sleep(stalls.limits.lookEveryMs, signal);
    if (signal.aborted) return stalls.clear({ stream, consumer });
    const seen = connection.isConnected() ? await see().catch(() => undefined) : undefined;
    if (signal.aborted) return stalls.clear({ stream, consumer });
    const nowMs = clock.monotonicMs();
    const found = look(watched, seen, nowMs, stallMs);
    watched = found.watched;
    if (watched.restarts === 0) stalls.clear({ stream, consumer });
    if (!found.stalled) continue;
    const { restarts, movedMs } = watched;
    const stall = { stream, consumer, waiting: seen?.waiting ?? 0, stalledMs: nowMs - movedMs, restarts };
    stalls.report(stall);
    log.warn({ ...stall }, stallSentence(stall));
    try {
      await restart(restarts);
    } catch (error) {
      log.warn({ error, stream, consumer }, 'the consumer that stalled could not be taken up again; tried again later');
    }
  }
}
