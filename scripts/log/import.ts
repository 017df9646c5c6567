import { createHash } from 'node:crypto';
import { decodeEvent } from '../../schemas/decode.ts';
import { appendLine } from '../../streams/append.ts';
import type { LogConnection } from '../../streams/connection.ts';
import { readPayload, readStreamState } from '../../streams/stream-reader.ts';
import { LineFileError, readLines } from './lines.ts';

/** The logs that are lines of a file, by the names that an operator gives them. */
export const lineLogs = {
  audit: { stream: 'AUDIT_BASELINES', event: 'lakehouse.audit-baseline' },
  replay: { stream: 'REPLAY_RUNS', event: 'lakehouse.replay-run' },
} as const;
export type LineLogName = keyof typeof lineLogs;

/** Bytes of one line, below what nats-server takes as one message. */
export const importedLineBytesMax = 4 * 1024 * 1024;

export interface ImportOptions {
  readonly connection: LogConnection;
  readonly file: string;
  readonly log: LineLogName;
  /** The last sequence of the log behind which the file's first line belongs; 0: the log is empty. */
  readonly after: number;
  /** What `checkLines` counted. */
  readonly total: number;
  readonly onProgress: (linesDone: number) => void;
}

export interface ImportReport {
  readonly stream: string;
  readonly lines: number;
  readonly appended: number;
  /** Lines that an earlier run of the same import had appended. */
  readonly present: number;
  readonly first_sequence: number | null;
  readonly last_sequence: number;
  /** sha256 of the lines, each with a line feed behind it: what `sha256sum` says of a file that ends with one. */
  readonly sha256: string;
}

/** Why a log can not be continued with a file. */
export class ImportRefused extends Error {}

/**
 * Reads a file once and changes nothing: every line has to be what its log takes.
 * @returns how many lines there are
 * @throws LineFileError naming the first line that can not be taken
 */
export async function checkLines(file: string, log: LineLogName): Promise<number> {
  let lines = 0;
  for await (const line of readLines(file, importedLineBytesMax)) {
    lines += 1;
    const decoded = decodeEvent(lineLogs[log].stream, line);
    if (!decoded.ok) throw new LineFileError(lines, `${decoded.reason}: ${decoded.message}`);
  }
  return lines;
}

/**
 * Appends the lines of a file, bytes untouched, line N of it as sequence `after` + N. Each append demands that the log
 * ends where the line belongs, so that nothing of somebody else's comes in between. Lines that an earlier, interrupted run
 * has appended are compared and passed over.
 * @throws ImportRefused where the log ends elsewhere, or holds something else there
 * @throws ConflictError where somebody else appends meanwhile; what was appended before is told by running it again
 */
export async function importLines(options: ImportOptions): Promise<ImportReport> {
  const { connection, file, log, after, total, onProgress } = options;
  const { stream, event } = lineLogs[log];
  const { lastSequence } = await readStreamState(connection, stream);
  if (lastSequence < after)
    throw new ImportRefused(`${stream} ends at sequence ${lastSequence}, before the ${after} that --after states`);
  if (lastSequence - after > total)
    throw new ImportRefused(
      `${stream} ends at sequence ${lastSequence}: behind ${after} it has more lines than the file's ${total}`,
    );
  const hash = createHash('sha256');
  let sequence = after;
  let present = 0;
  for await (const line of readLines(file, importedLineBytesMax)) {
    hash.update(line).update('\n');
    sequence += 1;
    if (sequence <= lastSequence) {
      const there = await readPayload(connection, stream, sequence);
      if (there === undefined || !Buffer.from(there).equals(line))
        throw new ImportRefused(`${stream} has another line as sequence ${sequence} than the file`);
      present += 1;
    } else {
      const digest = createHash('sha256').update(line).digest('hex');
      await appendLine(connection, event, line, `import:${sequence}:${digest}`, sequence - 1);
    }
    onProgress(sequence - after);
  }
  return {
    stream,
    lines: total,
    appended: sequence - after - present,
    present,
    first_sequence: total === 0 ? null : after + 1,
    last_sequence: sequence,
    sha256: hash.digest('hex'),
  };
}
