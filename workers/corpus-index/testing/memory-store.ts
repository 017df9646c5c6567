import { createHash } from 'node:crypto';
import { checkedObjectKey, type ObjectStore, type StoredObject } from '../../../streams/object-store.ts';

/** An object store in memory, whose bodies can be spoiled. It gives them back in pieces of an odd size. */
export function createMemoryStore(): ObjectStore & { readonly bodies: Map<string, Buffer> } {
  const bodies = new Map<string, Buffer>();
  return {
    bodies,
    put: async (key, body) => {
      checkedObjectKey(key);
      const pieces: Uint8Array[] = [];
      for await (const piece of body) pieces.push(piece);
      const whole = Buffer.concat(pieces);
      bodies.set(key, whole);
      return summaryOf(whole);
    },
    get: async (key) => {
      const body = bodies.get(key);
      return body === undefined ? undefined : pieces(body);
    },
    readBack: async (key) => {
      const body = bodies.get(key);
      return body === undefined ? undefined : summaryOf(body);
    },
    list: async (prefix) =>
      [...bodies]
        .filter(([key]) => key.startsWith(prefix))
        .map(([key, body]) => ({ key, bytes: body.byteLength }))
        .sort((one, other) => (one.key < other.key ? -1 : 1)),
    delete: async (key) => {
      bodies.delete(key);
    },
  };
}

function summaryOf(body: Buffer): StoredObject {
  return { bytes: body.byteLength, sha256: createHash('sha256').update(body).digest('hex') };
}

async function* pieces(body: Buffer): AsyncGenerator<Uint8Array> {
  const size = 4_093;
  for (let at = 0; at < body.byteLength; at += size) yield body.subarray(at, at + size);
}
