import { ProblemError } from '../../schemas/problems.ts';
import { gatherBytes } from '../gathered-bytes.ts';

/** One record of a stream: the event that it is to become, or why it becomes none. */
export type StreamRecord = { readonly line: number } & (
  | { readonly payload: Uint8Array }
  | { readonly fault: string; readonly id?: string }
);

/** What a reader of records holds in memory, told as it changes; throws where that is more than there is. */
export type Holding = (bytes: number) => void;

export interface RecordOptions {
  /** No record is longer. */
  readonly recordBytesMax: number;
  /** The number of the first line of the body: of the file that it is cut from. */
  readonly firstLine: number;
  readonly holding: Holding;
}

const newline = 0x0a;
const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf]);

/**
 * Cuts NDJSON into its lines, as many at a time as came in together. Empty lines are counted and left out.
 * @throws ProblemError `payload_too_large` with the line that does not end within the limit
 */
export async function* ndjsonRecords(
  chunks: AsyncIterable<Buffer>,
  { recordBytesMax, firstLine, holding }: RecordOptions,
): AsyncGenerator<StreamRecord[], void> {
  let line = firstLine;
  const begun = gatherBytes();
  const check = (bytes: number) => {
    if (bytes > recordBytesMax) throw recordTooLarge(line, recordBytesMax);
  };
  const recordOf = (bytes: Buffer): StreamRecord | undefined => {
    const isMarked = line === firstLine && bytes.subarray(0, byteOrderMark.length).equals(byteOrderMark);
    const payload = isMarked ? bytes.subarray(byteOrderMark.length) : bytes;
    return isBlank(payload) ? undefined : { line, payload };
  };
  for await (const chunk of chunks) {
    holding(begun.length() + chunk.length);
    const records: StreamRecord[] = [];
    let from = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, from)) {
      check(begun.length() + end - from);
      begun.add(chunk.subarray(from, end));
      const record = recordOf(begun.take());
      if (record !== undefined) records.push(record);
      line++;
      from = end + 1;
    }
    if (from < chunk.length) {
      begun.add(chunk.subarray(from));
      check(begun.length());
    }
    if (records.length > 0) yield records;
  }
  const record = recordOf(begun.take());
  if (record !== undefined) yield [record];
}

function isBlank(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d);
}

export function recordTooLarge(line: number, recordBytesMax: number): ProblemError {
  const detail = `line ${line}: one document may have ${recordBytesMax} bytes at most (LAKEHOUSE_BODY_BYTES_MAX), and this one does not end within them`;
  return new ProblemError('payload_too_large', detail, { line, body_bytes_max: recordBytesMax });
}
