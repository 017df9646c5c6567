/**
 * Where snapshots are kept: named bodies, written whole or not at all. `local-object-store.ts` keeps them in a directory;
 * any S3-compatible service fits behind the same interface.
 */
export interface ObjectStore {
  /**
   * Writes a body as it comes, replacing what is there once all of it is safe.
   * @returns its size and the SHA-256 (lower-case hex) of what was written
   */
  put(key: string, body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<StoredObject>;
  /** The body in pieces; undefined where there is none. */
  get(key: string): Promise<AsyncIterable<Uint8Array> | undefined>;
  /** Reads an object back as it lies there now, keeping nothing of it: what `put` told, if all is well. */
  readBack(key: string): Promise<StoredObject | undefined>;
  /** The objects whose keys begin with the prefix, by key. */
  list(prefix: string): Promise<{ readonly key: string; readonly bytes: number }[]>;
  /** Lets an object go; one that is not there is no error. */
  delete(key: string): Promise<void>;
}

export interface StoredObject {
  readonly bytes: number;
  readonly sha256: string;
}

/**
 * Why an operation failed.
 * - `unavailable`: away, slow or broken off; worth trying again later
 * - `denied`, `no_bucket`, `full`: somebody has to mend it
 * - `changed`: the object was replaced while it was read
 */
export type ObjectStoreFault = 'unavailable' | 'denied' | 'no_bucket' | 'full' | 'changed';

/** An operation that a store could not do; an object that is not there is none. */
export class ObjectStoreError extends Error {
  override readonly name = 'ObjectStoreError';
  readonly fault: ObjectStoreFault;

  constructor(fault: ObjectStoreFault, message: string) {
    super(message);
    this.fault = fault;
  }
}

const keyBytesMax = 1024;

/** Why a text is no key, or `undefined` where it is one: segments between single slashes, none of them `.` or `..`. */
export function objectKeyFault(key: string): string | undefined {
  if (key === '') return 'the key is empty';
  if (Buffer.byteLength(key, 'utf8') > keyBytesMax) return `the key is longer than ${keyBytesMax} bytes`;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the point is to refuse them
  if (/[\u0000-\u001f\u007f\\]/.test(key) || !key.isWellFormed())
    return 'the key holds a control character or backslash';
  for (const segment of key.split('/')) {
    if (segment === '') return 'the key begins or ends with a slash, or has two in a row';
    if (segment === '.' || segment === '..') return `the key has a segment "${segment}"`;
    if (segment.startsWith(partialPrefix)) return `the key has a segment that begins with "${partialPrefix}"`;
  }
  return undefined;
}

/** What a body is called while it is being written, so that a half-written one is never taken for an object. */
export const partialPrefix = '.partial-';

/** @throws RangeError where the text is no key: keys are made by this system */
export function checkedObjectKey(key: string): string {
  const fault = objectKeyFault(key);
  if (fault !== undefined) throw new RangeError(`${fault}: ${JSON.stringify(key)}`);
  return key;
}
