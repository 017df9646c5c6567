const headEnd = Buffer.from('\r\n\r\n');
const headBytesMax = 64 * 1024;
const informationalMax = 199;

/** What was wrong with bytes that are no HTTP/1.1 response. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
}

/** A response that has been read to its end; the body is counted and thrown away. */
export interface ResponseEnd {
  readonly status: number;
  /** False where the server will close the connection now. */
  readonly keepAlive: boolean;
}

interface Head extends ResponseEnd {
  /** `undefined` where the body lasts until the connection closes. */
  readonly length: number | undefined;
  readonly chunked: boolean;
}

function parseHead(text: string): Head {
  const line = /^HTTP\/1\.([01]) (\d{3})/.exec(text);
  if (line === null) throw new ProtocolError(`not an HTTP/1.1 response: ${JSON.stringify(text.slice(0, 60))}`);
  const status = Number(line[2]);
  const bodiless = status <= informationalMax || status === 204 || status === 304;
  const length = /\r\ncontent-length: *(\d+)/i.exec(text)?.[1];
  const chunked = !bodiless && /\r\ntransfer-encoding:.*\bchunked/i.test(text);
  const connection = /\r\nconnection: *([^\r]*)/i.exec(text)?.[1]?.toLowerCase();
  const keepAlive = line[1] === '1' ? connection !== 'close' : connection === 'keep-alive';
  if (bodiless) return { status, keepAlive, length: 0, chunked: false };
  return { status, keepAlive, length: length === undefined ? undefined : Number(length), chunked };
}

type Phase =
  | { readonly kind: 'head' }
  | { readonly kind: 'body'; readonly head: Head; left: number }
  | { readonly kind: 'chunk-size'; readonly head: Head }
  | { readonly kind: 'trailer'; readonly head: Head }
  | { readonly kind: 'until-close'; readonly head: Head };

/** Reads one response after the other from the bytes of a connection. */
export interface ResponseReader {
  /**
   * Takes the next bytes, which may change afterwards; the response that they complete, or `undefined` where it goes on.
   * Throws ProtocolError.
   */
  readonly feed: (bytes: Buffer) => ResponseEnd | undefined;
  /** The connection has ended: the response that only its end completes, or `undefined`. */
  readonly end: () => ResponseEnd | undefined;
}

/**
 * A reader of HTTP/1.1 responses to requests that are sent one at a time (no pipelining): bytes behind a complete
 * response are an error. It looks only at what tells where a response ends (RFC 9112, section 6.3), since a load
 * generator that shares its cores with the server must leave them to it.
 */
export function createResponseReader(): ResponseReader {
  let phase: Phase = { kind: 'head' };
  let held: Buffer = Buffer.alloc(0);

  const complete = (head: Head, rest: number): ResponseEnd => {
    if (rest > 0) throw new ProtocolError('the server sent bytes behind the response');
    phase = { kind: 'head' };
    held = Buffer.alloc(0);
    return { status: head.status, keepAlive: head.keepAlive };
  };

  /** One step over the bytes held: a finished response, `true` to go on, `false` for want of bytes. */
  const step = (): ResponseEnd | boolean => {
    switch (phase.kind) {
      case 'head': {
        const at = held.indexOf(headEnd);
        if (at < 0 && held.length > headBytesMax) throw new ProtocolError('the response head does not end');
        if (at < 0) return false;
        const head = parseHead(held.toString('latin1', 0, at));
        held = held.subarray(at + headEnd.length);
        if (head.status <= informationalMax) return true;
        if (head.chunked) phase = { kind: 'chunk-size', head };
        else if (head.length === undefined) phase = { kind: 'until-close', head };
        else phase = { kind: 'body', head, left: head.length };
        return true;
      }
      case 'body': {
        const taken = Math.min(phase.left, held.length);
        phase.left -= taken;
        held = held.subarray(taken);
        if (phase.left > 0) return false;
        if (!phase.head.chunked) return complete(phase.head, held.length);
        phase = { kind: 'chunk-size', head: phase.head };
        return true;
      }
      case 'chunk-size': {
        const at = held.indexOf('\r\n');
        if (at < 0) return false;
        const size = Number.parseInt(held.toString('latin1', 0, at), 16);
        if (!(size >= 0)) throw new ProtocolError('a chunk has no size');
        held = held.subarray(at + 2);
        // The two bytes are the line end behind the chunk's data.
        phase = size === 0 ? { kind: 'trailer', head: phase.head } : { kind: 'body', head: phase.head, left: size + 2 };
        return true;
      }
      case 'trailer': {
        const at = held.indexOf('\r\n');
        if (at < 0) return false;
        held = held.subarray(at + 2);
        return at === 0 ? complete(phase.head, held.length) : true;
      }
      case 'until-close':
        held = Buffer.alloc(0);
        return false;
    }
  };

  return {
    feed: (bytes) => {
      held = held.length === 0 ? bytes : Buffer.concat([held, bytes]);
      for (;;) {
        const outcome = step();
        // The bytes are the caller's again: what of them is needed later is kept apart.
        if (outcome === false) {
          if (held.length > 0) held = Buffer.from(held);
          return undefined;
        }
        if (outcome !== true) return outcome;
      }
    },
    end: () => (phase.kind === 'until-close' ? complete({ ...phase.head, keepAlive: false }, 0) : undefined),
  };
}
