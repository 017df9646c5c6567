/** What a body came to: its length, and the sha256 of its bytes in hex. */
export interface StoredObject {
  readonly bytes: number;
  readonly sha256: string;
}

/**
 * Where snapshots lie: keys to bytes. An object is there whole or not at all; nothing else is asked of a store, so that a
 * directory, an S3 bucket and a test's wrapper are alike.
 */
export interface ObjectStore {
  /** Writes a body as it comes, never as one buffer; an object of that key is replaced. */
  put(key: string, body: AsyncIterable<Uint8Array>): Promise<StoredObject>;
  /** The body, or undefined where there is none. */
  get(key: string): Promise<AsyncIterable<Uint8Array> | undefined>;
  /** Keys that begin with the prefix, sorted. */
  list(prefix: string): Promise<string[]>;
  /** Deletes an object; one that is not there is as good. */
  delete(key: string): Promise<void>;
}

const keyBytesMax = 1_024;
// biome-ignore lint/suspicious/noControlCharactersInRegex: the point is to refuse them
const unsafe = /[\u0000-\u001f\\]/;

/**
 * @throws RangeError for a key that could leave the store: empty, over 1,024 bytes, absolute, with `..` or a control
 * character
 */
export function checkKey(key: string): void {
  const parts = key.split('/');
  const safe =
    Buffer.byteLength(key) <= keyBytesMax &&
    !unsafe.test(key) &&
    parts.every((part) => !['', '.', '..'].includes(part));
  if (!safe) throw new RangeError(`${JSON.stringify(key)} can not be the key of an object`);
}

/** Reads a whole small object. Bodies of indexes are streamed instead. */
export async function readObject(store: ObjectStore, key: string, bytesMax: number): Promise<Buffer | undefined> {
  const body = await store.get(key);
  if (body === undefined) return undefined;
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of body) {
    bytes += part.length;
    if (bytes > bytesMax) throw new RangeError(`${key} is larger than ${bytesMax} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts);
}

/** A body of one piece. */
export async function* bodyOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
