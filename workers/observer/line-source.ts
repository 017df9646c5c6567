import type { LineScan } from './line-file.ts';

/** The stream that a file of lines is made of. */
export interface LineSource {
  lastSequence(): Promise<number>;
  /** The payload of a sequence; undefined where the stream does not have it. */
  payload(sequence: number): Promise<Uint8Array | undefined>;
}

const lineFeed = 0x0a;

/** A payload with a line feed would be two lines: appending refuses it, but the bus does not. */
export function fitsOneLine(payload: Uint8Array): boolean {
  return !payload.includes(lineFeed);
}

/**
 * The line of a payload, without its line feed: its bytes as they are. What does not fit one line is kept in base64 in a
 * row of its own schema, so that later lines keep their places and nothing is lost.
 */
export function lineOf(sequence: number, payload: Uint8Array): Uint8Array {
  if (fitsOneLine(payload)) return payload;
  const row = {
    schema: 'payload_of_several_lines.v1',
    sequence,
    payload_base64: Buffer.from(payload).toString('base64'),
  };
  return Buffer.from(JSON.stringify(row), 'utf8');
}

/**
 * Why a file can not be the projection of this stream; undefined where it can: its last line is what the stream has
 * under that sequence, or it has none yet and begins as the first one does. Where the stream has that message no more,
 * the file is the only copy and stays.
 */
export async function foreignTo(source: LineSource, scan: LineScan): Promise<string | undefined> {
  const { lines, lastLine, sizeBytes, unfinished } = scan;
  if (sizeBytes === 0) return undefined;
  const lastSequence = await source.lastSequence();
  if (lines > lastSequence) return `it has ${lines} lines where the stream ends at sequence ${lastSequence}`;
  if (lastLine === undefined) {
    const first = lastSequence === 0 ? undefined : await source.payload(1);
    const begins = first !== undefined && Buffer.from(lineOf(1, first)).subarray(0, sizeBytes).equals(unfinished);
    return begins ? undefined : 'it has no complete line, and does not begin as the first one does';
  }
  const payload = await source.payload(lines);
  if (payload === undefined || Buffer.from(lineOf(lines, payload)).equals(lastLine)) return undefined;
  return `its line ${lines} is not what the stream has under that sequence`;
}
