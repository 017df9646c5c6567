import type { FileHandle } from 'node:fs/promises';
import { type Clock, isoTime } from '../../streams/clock.ts';
import { backoffMs } from '../../streams/durations.ts';
import type { RuntimeLog } from '../../streams/logger.ts';
import { setAside } from './files.ts';
import { type LineScan, openLineFile, scanLines, writeAt } from './line-file.ts';
import { foreignTo, type LineSource, lineOf } from './line-source.ts';

export const lineLogLimits = {
  /** What is held until it is written; whoever appends more waits. One payload may go beyond it. */
  bufferBytesMax: 4 * 1024 * 1024,
  writeRetryFirstMs: 250,
  writeRetryMaxMs: 5_000,
} as const;

export interface LineLogOptions {
  readonly path: string;
  readonly source: LineSource;
  readonly clock: Clock;
  readonly log: RuntimeLog;
}

/** A file whose line N is the payload of sequence N of one stream. */
export interface LineLog {
  /** Lines that are written and synced: folding goes on behind this sequence. */
  readonly lines: () => number;
  /**
   * Takes the payload of the next sequence; a sequence that it has already is left alone. Returns at once while there is
   * room, else a promise that resolves when there is.
   * @throws Error where sequences were left out: a line would stand in another one's place
   */
  append(sequence: number, payload: Uint8Array): Promise<void> | undefined;
  /** Resolves when everything that was taken is on disk. */
  flush(): Promise<void>;
  /** What keeps lines from being written now; undefined where nothing does. */
  readonly fault: () => string | undefined;
  /** Writes what was taken, once, and lets go of the file: what could not be written is written at the next start. */
  close(): Promise<void>;
}

const lineFeed = Uint8Array.of(0x0a);

/**
 * Opens the log of one stream and takes it up where it was left. The file is its own checkpoint: there is no second
 * place that could disagree with it. Lines are written at the offset that is theirs, so that a write which failed half
 * way is made good by the next one; what came while a batch was written is the next batch, with one sync each.
 */
export async function openLineLog(options: LineLogOptions): Promise<LineLog> {
  const { path } = options;
  const recovered = await recover(options);
  const { file } = recovered;
  const closing = new AbortController();
  let { endBytes, lines: durable } = recovered;
  let accepted = durable;
  let buffered: Uint8Array[] = [];
  let bufferedBytes = 0;
  let writeFault: string | undefined;
  let gapFault: string | undefined;
  let flushing: Promise<void> | undefined;

  /** False where it gave up, since the log is being closed. */
  const writeBuffered = async (): Promise<boolean> => {
    const batch = Buffer.concat(buffered);
    const last = accepted;
    buffered = [];
    bufferedBytes = 0;
    const written = await persist(file, batch, endBytes, options, closing.signal, (error) => {
      writeFault = `lines ${durable + 1} to ${last} of ${path} can not be written: ${error}`;
      return writeFault;
    });
    if (!written) return false;
    endBytes += batch.length;
    durable = last;
    writeFault = undefined;
    return true;
  };
  const flushAll = async () => {
    // Lets what was received together come together.
    await new Promise((resolve) => setImmediate(resolve));
    while (buffered.length > 0 && (await writeBuffered()));
    // In the same step as the last look at the buffer: nobody can add to it and find this still running.
    flushing = undefined;
  };
  const flush = () => {
    flushing ??= flushAll();
    return flushing;
  };

  return {
    lines: () => durable,
    fault: () => gapFault ?? writeFault,
    flush,
    append: (sequence, payload) => {
      if (closing.signal.aborted) throw new Error(`${path} is closed`);
      if (sequence <= accepted) return undefined;
      if (sequence !== accepted + 1) {
        gapFault = gapSentence(path, accepted, sequence);
        throw new Error(gapFault);
      }
      gapFault = undefined;
      const line = lineOf(sequence, payload);
      buffered.push(line, lineFeed);
      bufferedBytes += line.length + 1;
      accepted = sequence;
      const flushed = flush();
      return bufferedBytes >= lineLogLimits.bufferBytesMax ? flushed : undefined;
    },
    close: async () => {
      closing.abort();
      await flush();
      await file.close();
    },
  };
}

/** Writes and syncs, again and again until it is done; false where it was not when the log was closed. */
async function persist(
  file: FileHandle,
  bytes: Uint8Array,
  position: number,
  { path, clock, log }: LineLogOptions,
  closing: AbortSignal,
  onFault: (error: unknown) => string,
): Promise<boolean> {
  for (let attempt = 1; ; attempt++) {
    try {
      await writeAt(file, bytes, position);
      await file.sync();
      return true;
    } catch (error) {
      log.error({ error, path, attempt }, `${onFault(error)}; nothing is lost, since the stream has them`);
      if (closing.aborted) return false;
      const waitMs = backoffMs(attempt, lineLogLimits.writeRetryFirstMs, lineLogLimits.writeRetryMaxMs);
      await clock.sleep(waitMs, closing);
    }
  }
}

function gapSentence(path: string, before: number, after: number): string {
  return `the stream went from sequence ${before} to ${after}: line ${before + 1} of ${path} has no payload, and no later one may take its place`;
}

interface Recovered {
  readonly file: FileHandle;
  readonly lines: number;
  readonly endBytes: number;
}

/** Finds where the file was left; one that is not of this stream is set aside, and the log begins anew. */
async function recover(options: LineLogOptions): Promise<Recovered> {
  const { path, clock, log } = options;
  const file = await openLineFile(path);
  try {
    const scan = await scanLines(file);
    const fault = await foreignTo(options.source, scan);
    if (fault === undefined) return await takeUp(file, scan, options);
    const movedTo = await setAside(path, isoTime(clock));
    log.warn({ path, movedTo, fault }, `${path} is not of this stream and is made anew: ${fault}`);
  } catch (error) {
    await file.close();
    throw error;
  }
  await file.close();
  return { file: await openLineFile(path), lines: 0, endBytes: 0 };
}

async function takeUp(file: FileHandle, scan: LineScan, { path, log }: LineLogOptions): Promise<Recovered> {
  const { lines, endBytes, sizeBytes } = scan;
  if (sizeBytes > endBytes) {
    const bytes = sizeBytes - endBytes;
    log.warn({ path, bytes }, `line ${lines + 1} of ${path} was left unfinished and is written anew`);
    await file.truncate(endBytes);
    await file.sync();
  }
  return { file, lines, endBytes };
}
