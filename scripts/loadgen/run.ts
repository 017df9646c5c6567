import { performance } from 'node:perf_hooks';
import { Connection } from './connection.ts';
import { drive } from './drive.ts';
import { createHistogram } from './histogram.ts';
import { loadLimits } from './limits.ts';
import { planLoad, unsentBy } from './plan.ts';
import type { LoadReport } from './report.ts';
import { parseTarget, renderRequests } from './requests.ts';
import { createTally } from './tally.ts';

export interface LoadOptions {
  /** An `http:` address, path and query included. */
  readonly url: string;
  /** Sent in rotation; none at all sends requests without a body. */
  readonly bodies?: readonly Buffer[];
  readonly headers?: Readonly<Record<string, string>>;
  /** Connections, each with one request at a time. */
  readonly concurrency: number;
  /** At least one of `durationMs` and `requests`; with both, what is reached first ends the run. */
  readonly durationMs?: number;
  readonly requests?: number;
  /** `POST` where there are bodies, else `GET`. */
  readonly method?: string;
  /**
   * Open loop: requests a second, sent at intended times whether or not earlier ones were answered, as far as there
   * are free connections. Latency counts from the intended time, so that a server that stalls cannot hide it
   * (coordinated omission). The timer's lateness, up to about a millisecond, is part of it: see `sendLagMs`.
   */
  readonly rate?: number;
  /** Ends the run early: what is under way is waited for, the rest is not sent. */
  readonly signal?: AbortSignal;
  /** Called about once a second. */
  readonly onProgress?: (done: number, elapsedMs: number) => void;
  /** A monotonic clock in milliseconds. */
  readonly now?: () => number;
}

function checkOptions(options: LoadOptions): void {
  const { concurrency, durationMs, requests, rate } = options;
  if (!Number.isInteger(concurrency) || concurrency < 1 || concurrency > loadLimits.concurrencyMax) {
    throw new RangeError(`concurrency is a whole number from 1 to ${loadLimits.concurrencyMax}, not ${concurrency}`);
  }
  if (durationMs === undefined && requests === undefined) {
    throw new RangeError('a load run needs an end: give durationMs, requests or both');
  }
  for (const [name, value] of Object.entries({ durationMs, requests, rate })) {
    if (value !== undefined && !(value > 0 && Number.isFinite(value))) throw new RangeError(`${name} must be above 0`);
  }
}

function connectionsTo(url: URL, count: number): Connection[] {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const target = { host, port: Number(url.port || 80), requestTimeoutMs: loadLimits.requestTimeoutMs };
  return Array.from({ length: count }, () => new Connection(target));
}

/**
 * Sends requests to one address and reports what came back. Transport errors and statuses are figures of the report;
 * a RangeError is thrown for options that make no sense. Connections are opened before the clock starts.
 */
export async function runLoad(options: LoadOptions): Promise<LoadReport> {
  checkOptions(options);
  const { concurrency, rate, signal, onProgress, bodies = [], headers = {} } = options;
  const now = options.now ?? (() => performance.now());
  const url = parseTarget(options.url);
  const method = options.method ?? (bodies.length > 0 ? 'POST' : 'GET');
  const requests = renderRequests({ url, method, headers, bodies });
  const plan = planLoad(options, loadLimits.drainMsMax);
  const tally = createTally();
  const sendLag = createHistogram();
  const connections = connectionsTo(url, concurrency);
  await Promise.all(connections.map((connection) => connection.open()));

  const openedAt = now();
  const progress = setInterval(() => onProgress?.(tally.done(), now() - openedAt), loadLimits.progressEveryMs);
  const { sent, elapsedMs } = await drive({
    plan,
    connections,
    requests,
    reconnectDelayMs: loadLimits.reconnectDelayMs,
    signal,
    now,
    onSent: rate === undefined ? () => {} : sendLag.record,
    onSettled: tally.settle,
  });
  clearInterval(progress);
  for (const connection of connections) connection.close();
  const figures = tally.figures();
  return {
    url: options.url,
    concurrency,
    rate: rate ?? null,
    elapsedMs,
    ...figures,
    unsent: unsentBy(plan, rate, elapsedMs, sent),
    rps: elapsedMs === 0 ? 0 : (figures.requests - figures.transportErrors) / (elapsedMs / 1000),
    sendLagMs: sendLag.summary() ?? null,
  };
}
