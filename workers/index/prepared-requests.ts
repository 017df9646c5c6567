import { LRUCache } from 'lru-cache';

/** What of a request depends on its bytes alone: worked out once for bodies that come again. Nobody changes any of it. */
export interface PreparedRequest<Read, Ready> {
  readonly read: Read;
  /** What whoever asks has made ready of it since. */
  ready: Ready | undefined;
}

const requestsMax = 1_000;
/** A longer body is read each time: most of such bring a vector of their own, which does not come again. */
const bodyBytesMax = 4_096;

/**
 * Remembers what was read of request bodies. Not what was answered: an answer depends on what is indexed by then.
 * @param read reads a body; what it throws is thrown, and nothing remembered
 */
export function createPreparedRequests<Read, Ready>(
  read: (body: Uint8Array) => Read,
): (body: Uint8Array) => PreparedRequest<Read, Ready> {
  const known = new LRUCache<string, PreparedRequest<Read, Ready>>({ max: requestsMax });
  return (body) => {
    if (body.length > bodyBytesMax) return { read: read(body), ready: undefined };
    const key = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('latin1');
    const before = known.get(key);
    if (before !== undefined) return before;
    const prepared: PreparedRequest<Read, Ready> = { read: read(body), ready: undefined };
    known.set(key, prepared);
    return prepared;
  };
}
