import { fullShare } from '../../streams/stream-watch.ts';
import { formatCount, formatRate } from '../command/format.ts';
import type { Sink } from '../command/output.ts';
import type { StackStatus } from './status.ts';
import { type StatusRates, statusRates } from './status-rates.ts';
import { statusText } from './status-text.ts';

export interface WatchOptions {
  readonly read: () => Promise<StackStatus>;
  readonly intervalMs: number;
  /** Looks after which it ends; undefined: when the signal aborts. */
  readonly looks: number | undefined;
  readonly json: boolean;
  readonly sink: Sink;
  readonly clock: {
    readonly nowMs: () => number;
    readonly monotonicMs: () => number;
    readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  };
  readonly signal: AbortSignal;
}

/** From the first column of the first row, over what is there; what is left below is cleared. */
const redraw = '\u001b[H';
const clearBelow = '\u001b[J';
const clearRight = '\u001b[K';
const clearAll = '\u001b[2J';

/**
 * Looks again and again. A terminal is drawn over each time, with rates since the look before; elsewhere each look is one
 * line, under `json` one document.
 * @returns the last look
 */
export async function watchStatus(options: WatchOptions): Promise<StackStatus> {
  const { read, intervalMs, looks, sink, clock, signal } = options;
  let before: { readonly status: StackStatus; readonly atMs: number } | undefined;
  if (isLive(options)) sink.write(clearAll);
  for (let look = 1; ; look++) {
    const status = await read();
    const atMs = clock.monotonicMs();
    const rates = before === undefined ? undefined : statusRates(before.status, status, atMs - before.atMs);
    sink.write(shown(status, rates, options));
    before = { status, atMs };
    if (look === looks || signal.aborted) return status;
    await clock.sleep(intervalMs, signal);
    if (signal.aborted) return status;
  }
}

function isLive({ json, sink }: WatchOptions): boolean {
  return !json && sink.isTTY === true;
}

function shown(status: StackStatus, rates: StatusRates | undefined, options: WatchOptions): string {
  const time = new Date(options.clock.nowMs()).toISOString();
  if (options.json) return `${JSON.stringify({ at: time, ...status })}\n`;
  if (!isLive(options)) return `${watchLine(status, rates, time)}\n`;
  const lines = [
    `${time}  every ${options.intervalMs / 1_000} s, Ctrl-C ends`,
    ...statusText(status, rates).split('\n'),
  ];
  return `${redraw}${lines.map((line) => `${line}${clearRight}`).join('\n')}\n${clearBelow}`;
}

/** One look as one line, for files and pipes. */
export function watchLine(status: StackStatus, rates: StatusRates | undefined, time: string): string {
  const notReady = status.processes.filter(({ ready }) => !ready).map(({ name }) => name);
  const parts = [
    status.ready ? 'ready' : `NOT ready${notReady.length === 0 ? '' : ` (${notReady.join(', ')})`}`,
    ...appendedParts(rates),
    ...consumerParts(status),
    ...documentParts(status),
    ...status.alarms.map((alarm) => `ALARM ${alarm.stream} ${Math.floor(100 * fullShare(alarm))} % full`),
  ];
  return `${time}  ${parts.join(', ')}`;
}

/** What waits for each worker and is not done; nothing where nothing does. */
function consumerParts({ streams }: StackStatus): string[] {
  return streams
    .flatMap(({ consumers }) => consumers)
    .map(({ name, pending, ackPending }) => ({ name, undone: pending + ackPending }))
    .filter(({ undone }) => undone > 0)
    .map(({ name, undone }) => `${name} ${formatCount(undone)} to do`);
}

function appendedParts(rates: StatusRates | undefined): string[] {
  return [...(rates?.appended ?? [])]
    .filter(([, rate]) => rate > 0)
    .map(([name, rate]) => `${name} ${formatRate(rate)}`);
}

function documentParts({ index }: StackStatus): string[] {
  if (!('answer' in index)) return [];
  const serving = index.answer.indexes.filter((one) => one.serving && one.kind === 'documents');
  return [`${formatCount(serving.reduce((sum, { live }) => sum + live, 0))} documents`];
}
