import { type ObjectStore, ObjectStoreError, type StoredObject } from '../object-store.ts';

/**
 * What can happen to an operation on an object store.
 * - `slow`: it takes a turn of the event loop for every piece
 * - `unavailable`: it is refused (503) before anything is done
 * - `timed out midway`: half of the body is read or written, then nothing more comes
 * - `truncated`: half of the body is read or written, and that is called a success
 * - `deleted`: the object is gone
 * - `disk full`: half of the body is written, then there is no room; nothing else fails so
 */
export const objectFaults = ['slow', 'unavailable', 'timed out midway', 'truncated', 'deleted', 'disk full'] as const;
export type ObjectFault = (typeof objectFaults)[number];
export type StoreOperation = 'put' | 'get' | 'readBack' | 'list' | 'delete';

/** The fault of an operation, if any; asked once for each. */
export type ChooseFault = (operation: StoreOperation, key: string) => ObjectFault | undefined;

/** A store over another one, on which operations fail as they are told to. */
export function withObjectFaults(store: ObjectStore, choose: ChooseFault): ObjectStore {
  const begin = async (operation: StoreOperation, key: string): Promise<ObjectFault | undefined> => {
    const fault = choose(operation, key);
    if (fault === 'unavailable')
      throw new ObjectStoreError('unavailable', `injected: ${operation} ${key} is refused (503)`);
    if (fault === 'slow') await turn();
    return fault;
  };
  return {
    put: async (key, body) => {
      const fault = await begin('put', key);
      const pieces = await gather(body);
      if (fault === 'timed out midway') return store.put(key, brokenOff(pieces, timedOut(key)));
      if (fault === 'disk full')
        return store.put(key, brokenOff(pieces, new ObjectStoreError('full', `injected: no room for ${key}`)));
      if (fault === 'truncated') {
        await store.put(key, half(pieces));
        return claimed(pieces, store, key);
      }
      const stored = await store.put(key, pieces);
      if (fault === 'deleted') await store.delete(key);
      return stored;
    },
    get: async (key) => {
      const fault = await begin('get', key);
      if (fault === 'deleted') return undefined;
      const body = await store.get(key);
      if (body === undefined || fault === undefined || fault === 'disk full') return body;
      const pieces = await gather(body);
      if (fault === 'slow') return slowly(pieces);
      return fault === 'truncated' ? slowly(half(pieces)) : brokenOff(pieces, timedOut(key));
    },
    readBack: async (key) => {
      const fault = await begin('readBack', key);
      if (fault === 'deleted') return undefined;
      if (fault === 'timed out midway') throw timedOut(key);
      const found = await store.readBack(key);
      if (found === undefined || fault !== 'truncated') return found;
      return { bytes: Math.floor(found.bytes / 2), sha256: '0'.repeat(64) };
    },
    list: async (prefix) => {
      const fault = await begin('list', prefix);
      if (fault === 'timed out midway') throw timedOut(prefix);
      const found = await store.list(prefix);
      if (fault === 'deleted') return [];
      return fault === 'truncated' ? found.slice(0, Math.floor(found.length / 2)) : found;
    },
    delete: async (key) => {
      const fault = await begin('delete', key);
      if (fault === 'timed out midway') throw timedOut(key);
      await store.delete(key);
    },
  };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

function timedOut(key: string): ObjectStoreError {
  return new ObjectStoreError('unavailable', `injected: nothing more came of ${key}`);
}

async function gather(body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<Uint8Array[]> {
  const pieces: Uint8Array[] = [];
  for await (const piece of body) pieces.push(Uint8Array.from(piece));
  return pieces;
}

function half(pieces: readonly Uint8Array[]): Uint8Array[] {
  const whole = Buffer.concat(pieces);
  return [whole.subarray(0, Math.floor(whole.byteLength / 2))];
}

async function* brokenOff(pieces: readonly Uint8Array[], error: Error): AsyncGenerator<Uint8Array> {
  yield* half(pieces);
  throw error;
}

async function* slowly(pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const piece of pieces) {
    await turn();
    yield piece;
  }
}

/** What an honest store would have told of the whole body: the lie of one that kept half of it. */
async function claimed(pieces: readonly Uint8Array[], store: ObjectStore, key: string): Promise<StoredObject> {
  const whole = await store.put(`${key}.whole`, pieces);
  await store.delete(`${key}.whole`);
  return whole;
}
