import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createResponseReader, ProtocolError, type ResponseEnd } from './response-reader.ts';

/** Feeds one response cut at the given places, and returns what was read with the last piece. */
function readInPieces(bytes: Buffer, cuts: readonly number[]): ResponseEnd | undefined {
  const reader = createResponseReader();
  const places = [...cuts.map((cut) => cut % bytes.length), bytes.length].toSorted((one, other) => one - other);
  let from = 0;
  let read: ResponseEnd | undefined;
  for (const place of places) {
    if (place === from) continue;
    expect(read).toBeUndefined();
    read = reader.feed(bytes.subarray(from, place));
    from = place;
  }
  return read;
}

const feed = (text: string): ResponseEnd | undefined => createResponseReader().feed(Buffer.from(text, 'latin1'));

const bodies = fc.uint8Array({ maxLength: 200 }).map((body) => Buffer.from(body));

const withLength = bodies.map((body) =>
  Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`), body]),
);

const chunked = fc
  .record({ pieces: fc.array(bodies.filter((body) => body.length > 0)), trailer: fc.boolean() })
  .map(({ pieces, trailer }) =>
    Buffer.concat([
      Buffer.from('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'),
      ...pieces.flatMap((piece) => [Buffer.from(`${piece.length.toString(16)};x=1\r\n`), piece, Buffer.from('\r\n')]),
      Buffer.from(`0\r\n${trailer ? 'Server-Timing: x\r\n' : ''}\r\n`),
    ]),
  );

describe('createResponseReader', () => {
  it('finds the end of a response however its bytes are cut', () => {
    fc.assert(
      fc.property(fc.oneof(withLength, chunked), fc.array(fc.nat(), { maxLength: 12 }), (bytes, cuts) => {
        expect(readInPieces(bytes, cuts)).toEqual({ status: 200, keepAlive: true });
      }),
    );
  });

  it('reads one response after the other', () => {
    const reader = createResponseReader();
    for (const status of [200, 503, 204, 200]) {
      const length = status === 204 ? '' : 'content-length: 2\r\n';
      const read = reader.feed(Buffer.from(`HTTP/1.1 ${status} X\r\n${length}\r\n${status === 204 ? '' : 'ok'}`));
      expect(read).toEqual({ status, keepAlive: true });
    }
  });

  it('skips an interim response', () => {
    expect(feed('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n')?.status).toBe(201);
  });

  it('sees that the server will close', () => {
    expect(feed('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')?.keepAlive).toBe(false);
    expect(feed('HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n')?.keepAlive).toBe(false);
  });

  it('takes a body without a length to the end of the connection', () => {
    const reader = createResponseReader();
    expect(reader.feed(Buffer.from('HTTP/1.1 200 OK\r\n\r\nsome'))).toBeUndefined();
    expect(reader.feed(Buffer.from(' more'))).toBeUndefined();
    expect(reader.end()).toEqual({ status: 200, keepAlive: false });
  });

  it('does not take a broken-off response for a whole one', () => {
    const reader = createResponseReader();
    expect(reader.feed(Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf'))).toBeUndefined();
    expect(reader.end()).toBeUndefined();
  });

  it('is not misled by header names that end alike', () => {
    expect(feed('HTTP/1.1 200 OK\r\nX-Content-Length: 9\r\nContent-Length: 0\r\n\r\n')?.status).toBe(200);
  });

  it('refuses what is no response', () => {
    const wrong = [
      'SSH-2.0-server\r\n\r\n',
      'HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
      `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(70_000)}`,
    ];
    for (const text of wrong) expect(() => feed(text)).toThrow(ProtocolError);
  });
});
