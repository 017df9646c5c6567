/** Where progress is written: `process.stderr`, as a rule, so that stdout stays for results. */
export interface ProgressStream {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  write(text: string): unknown;
}

export interface ProgressOptions {
  /** What is being done: `embedding`. */
  readonly label: string;
  /** How many there are; leave it out where that is not known, and no share or time left is shown. */
  readonly total?: number;
  readonly stream: ProgressStream;
  /** A monotonic clock in milliseconds. */
  readonly now: () => number;
}

export interface Progress {
  /** So many are done altogether. Cheap enough to be called for each. */
  readonly update: (done: number) => void;
  /** Writes the last line, with the time taken. Later calls of either function write nothing. */
  readonly finish: (done?: number) => void;
}

export const progressLimits = {
  /** The live line of a terminal is drawn again no sooner. */
  redrawEveryMs: 100,
  /** Elsewhere a line is written after so long without one, and at each tenth of the total. */
  lineEveryMs: 10_000,
  tenths: 10,
} as const;

const clearLine = '\r\u001b[K';
const wholeNumber = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
const oneDigit = new Intl.NumberFormat('en-US', { maximumFractionDigits: 1 });

/** A duration for people: `0.4 s`, `12 s`, `3 min 20 s`, `2 h 5 min`. */
export function formatDuration(durationMs: number): string {
  const seconds = durationMs / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

function formatRate(done: number, elapsedMs: number): string {
  const rate = elapsedMs > 0 ? (done * 1000) / elapsedMs : 0;
  return `${(rate < 10 ? oneDigit : wholeNumber).format(rate)}/s`;
}

/** One line of progress: done of total, share, rate since the start, and the time left at that rate. */
export function formatProgress(label: string, done: number, total: number | undefined, elapsedMs: number): string {
  const count = wholeNumber.format(done);
  const rate = formatRate(done, elapsedMs);
  if (total === undefined) return `${label}: ${count}, ${rate}`;
  const share = total > 0 ? Math.floor((done / total) * 100) : 100;
  const left = done > 0 && done < total ? `, ${formatDuration((elapsedMs / done) * (total - done))} left` : '';
  return `${label}: ${count} of ${wholeNumber.format(total)} (${share} %), ${rate}${left}`;
}

/**
 * Reports how far a long command is. A terminal gets one line that is drawn over; a file or a pipe gets a line at
 * each tenth of the total and whenever ten seconds went by without one.
 */
export function createProgress(options: ProgressOptions): Progress {
  const { label, total, stream, now } = options;
  const live = stream.isTTY === true;
  const startedAt = now();
  let latest = 0;
  let writtenAt = startedAt;
  let tenthsWritten = 0;
  let finished = false;

  const tenthsOf = (done: number): number =>
    total === undefined || total === 0 ? 0 : Math.floor((done / total) * progressLimits.tenths);

  const draw = (line: string): void => {
    // One column stays free: a line that fills the last one wraps, and cannot be drawn over.
    stream.write(`${clearLine}${line.slice(0, (stream.columns ?? 80) - 1)}`);
  };

  const update = (done: number): void => {
    if (finished) return;
    latest = done;
    const time = now();
    const waited = time - writtenAt;
    const isDue = live
      ? waited >= progressLimits.redrawEveryMs
      : waited >= progressLimits.lineEveryMs || tenthsOf(done) > tenthsWritten;
    // The last line is left to `finish`.
    if (!isDue || done === total) return;
    const line = formatProgress(label, done, total, time - startedAt);
    if (live) draw(line);
    else stream.write(`${line}\n`);
    writtenAt = time;
    tenthsWritten = tenthsOf(done);
  };

  const finish = (done = latest): void => {
    if (finished) return;
    finished = true;
    const elapsedMs = now() - startedAt;
    const of = total === undefined || total === done ? '' : ` of ${wholeNumber.format(total)}`;
    const line = `${label}: ${wholeNumber.format(done)}${of} in ${formatDuration(elapsedMs)}, ${formatRate(done, elapsedMs)}`;
    stream.write(`${live ? clearLine : ''}${line}\n`);
  };
  return { update, finish };
}
