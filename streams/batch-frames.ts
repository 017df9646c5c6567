/**
 * Several requests, or several answers, in one message. Little-endian; a frame is
 * `u32 correlation, u16 status, u16 length of the headers, u32 length of the body, headers, body`, with the headers as
 * `name: value` lines. Status is 0 in a request.
 */
export interface Frame {
  readonly correlation: number;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

const fixedBytes = 12;
const noHeaders: Readonly<Record<string, string>> = {};

export function encodeFrames(frames: readonly Frame[]): Buffer {
  const texts = frames.map((frame) => writeHeaders(frame.headers));
  let length = 0;
  frames.forEach((frame, index) => {
    length += fixedBytes + (texts[index]?.length ?? 0) + frame.body.length;
  });
  const buffer = Buffer.allocUnsafe(length);
  let at = 0;
  frames.forEach((frame, index) => {
    const headers = texts[index] ?? Buffer.alloc(0);
    buffer.writeUInt32LE(frame.correlation, at);
    buffer.writeUInt16LE(frame.status, at + 4);
    buffer.writeUInt16LE(headers.length, at + 6);
    buffer.writeUInt32LE(frame.body.length, at + 8);
    headers.copy(buffer, at + fixedBytes);
    buffer.set(frame.body, at + fixedBytes + headers.length);
    at += fixedBytes + headers.length + frame.body.length;
  });
  return buffer;
}

/** Reads the frames of a message; `undefined` where it is not a whole number of them. Bodies are views, not copies. */
export function decodeFrames(message: Uint8Array): Frame[] | undefined {
  const buffer = Buffer.from(message.buffer, message.byteOffset, message.byteLength);
  const frames: Frame[] = [];
  let at = 0;
  while (at < buffer.length) {
    if (at + fixedBytes > buffer.length) return undefined;
    const headersLength = buffer.readUInt16LE(at + 6);
    const bodyLength = buffer.readUInt32LE(at + 8);
    const headersAt = at + fixedBytes;
    const bodyAt = headersAt + headersLength;
    if (bodyAt + bodyLength > buffer.length) return undefined;
    frames.push({
      correlation: buffer.readUInt32LE(at),
      status: buffer.readUInt16LE(at + 4),
      headers: headersLength === 0 ? noHeaders : readHeaders(buffer.toString('utf8', headersAt, bodyAt)),
      body: buffer.subarray(bodyAt, bodyAt + bodyLength),
    });
    at = bodyAt + bodyLength;
  }
  return frames;
}

function writeHeaders(headers: Readonly<Record<string, string>>): Buffer {
  let text = '';
  // A line feed inside a value would begin another header.
  for (const [name, value] of Object.entries(headers)) text += `${name}: ${value.replace(/[\r\n]/g, ' ')}\n`;
  const bytes = Buffer.from(text, 'utf8');
  if (bytes.length > 0xffff) throw new RangeError('the headers of a request are longer than 65,535 bytes');
  return bytes;
}

function readHeaders(text: string): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const line of text.split('\n')) {
    const colon = line.indexOf(': ');
    if (colon > 0) headers[line.slice(0, colon)] = line.slice(colon + 2);
  }
  return headers;
}
