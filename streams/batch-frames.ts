/**
 * Several requests, or several answers, in one message: a mark, then the frames. Little-endian; a frame is
 * `u32 correlation, u16 status, u16 length of the headers, u32 length of the body, headers, body`, with the headers as
 * `name: value` lines. Status is 0 in a request.
 */
export interface Frame {
  readonly correlation: number;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** A view on the message. */
  readonly body: Uint8Array;
}

/** A frame to be written. */
export interface FrameDraft {
  readonly correlation: number;
  readonly status: number;
  /** As `headerLines` gives them. */
  readonly headers: string;
  readonly body: Uint8Array | string;
}

/**
 * What a message of frames begins with, and no text does. It tells such a message from one that is a request itself. A
 * header of the bus would as well, and is written, parsed and read for every message.
 */
const mark = Buffer.from([0, 0x4c, 0x48, 0x31]);
const fixedBytes = 12;
const headerBytesMax = 0xffff;
const noBytes = Buffer.alloc(0);
const noHeaders: Readonly<Record<string, string>> = {};

/** Headers as they are written. */
export function headerLines(headers: Readonly<Record<string, string>>): string {
  let text = '';
  for (const name in headers) text += `${name}: ${onOneLine(headers[name] ?? '')}\n`;
  return text;
}

/** A line feed inside a value would begin another header. */
function onOneLine(value: string): string {
  return value.includes('\n') || value.includes('\r') ? value.replace(/[\r\n]/g, ' ') : value;
}

/** Whether a message holds frames. */
export function isFramed(message: Uint8Array): boolean {
  return message.length >= mark.length && mark.every((byte, at) => message[at] === byte);
}

/** @throws RangeError for headers longer than 65,535 bytes */
export function encodeFrames(frames: readonly FrameDraft[]): Buffer {
  // A character of most texts is a byte: counting bytes first would cost as much as writing them.
  return (
    writeFrames(frames, (text) => text.length) ?? writeFrames(frames, (text) => Buffer.byteLength(text)) ?? noBytes
  );
}

/** Undefined where the texts are longer than was said. */
function writeFrames(frames: readonly FrameDraft[], bytesOf: (text: string) => number): Buffer | undefined {
  let length = mark.length;
  for (const { headers, body } of frames)
    length += fixedBytes + bytesOf(headers) + (typeof body === 'string' ? bytesOf(body) : body.length);
  const buffer = Buffer.allocUnsafe(length);
  buffer.set(mark);
  let at = mark.length;
  for (const { correlation, status, headers, body } of frames) {
    const headersAt = at + fixedBytes;
    const bodyAt = writeText(buffer, headers, headersAt);
    const end = typeof body === 'string' ? writeText(buffer, body, bodyAt) : bodyAt + body.length;
    // Not a number where a text did not fit, and behind the end where nothing was left for what comes with it.
    if (!(end <= buffer.length)) return undefined;
    if (bodyAt - headersAt > headerBytesMax)
      throw new RangeError(`the headers of a request are longer than ${headerBytesMax} bytes`);
    if (typeof body !== 'string') buffer.set(body, bodyAt);
    buffer.writeUInt32LE(correlation, at);
    buffer.writeUInt16LE(status, at + 4);
    buffer.writeUInt16LE(bodyAt - headersAt, at + 6);
    buffer.writeUInt32LE(end - bodyAt, at + 8);
    at = end;
  }
  return buffer;
}

const encoder = new TextEncoder();

/** Where the text ends; NaN where it does not fit. */
function writeText(buffer: Buffer, text: string, at: number): number {
  const { read, written } = encoder.encodeInto(text, buffer.subarray(at));
  return read === text.length ? at + written : Number.NaN;
}

/** The frames of a message; `undefined` where it does not hold a whole number of them. Bodies are views, not copies. */
export function decodeFrames(message: Uint8Array): Frame[] | undefined {
  if (!isFramed(message)) return undefined;
  const buffer = Buffer.from(message.buffer, message.byteOffset, message.byteLength);
  const frames: Frame[] = [];
  let at = mark.length;
  // Answers that travel together mostly have the same headers.
  let known = '';
  let headers = noHeaders;
  while (at < buffer.length) {
    if (at + fixedBytes > buffer.length) return undefined;
    const headersAt = at + fixedBytes;
    const bodyAt = headersAt + buffer.readUInt16LE(at + 6);
    const end = bodyAt + buffer.readUInt32LE(at + 8);
    if (end > buffer.length) return undefined;
    const text = buffer.toString('utf8', headersAt, bodyAt);
    if (text !== known) headers = readHeaders(text);
    known = text;
    frames.push({
      correlation: buffer.readUInt32LE(at),
      status: buffer.readUInt16LE(at + 4),
      headers,
      body: buffer.subarray(bodyAt, end),
    });
    at = end;
  }
  return frames;
}

function readHeaders(text: string): Record<string, string> {
  const headers: Record<string, string> = {};
  for (let at = 0; at < text.length; ) {
    const found = text.indexOf('\n', at);
    const end = found < 0 ? text.length : found;
    const colon = text.indexOf(': ', at);
    if (colon > at && colon < end) headers[text.slice(at, colon)] = text.slice(colon + 2, end);
    at = end + 1;
  }
  return headers;
}
