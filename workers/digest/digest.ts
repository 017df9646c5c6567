import { createHash, type Hash } from 'node:crypto';

/** One document as a digest sees it; `vector` is null where it is not alive. */
export interface DigestedDocument {
  readonly id: string;
  readonly content: { readonly version: number; readonly hash: string | null };
  readonly metadata: { readonly version: number; readonly json: string | null };
  readonly vector: Float32Array | null;
}

/** What a digest is of. */
export interface DigestedName {
  readonly kind: string;
  readonly corpus: string;
  readonly space: string;
}

export interface DigestOptions {
  /**
   * Leaves out versions, and documents that are not alive: equal after the same things were said again, when versions
   * have risen.
   */
  readonly withoutVersions?: boolean;
}

/**
 * The state digest of one corpus in one space: SHA-256 over its logical content, never over a graph. Its input is
 *
 * - a line `["lakehouse.digest.v1", kind, corpus, space, "versions" or "values"]`,
 * - then per document, living or not, by id in the order of UTF-8 bytes:
 *   a line `[id, content version, content hash, metadata version, metadata]`
 *   (`[id, content hash, metadata]` and living ones only, without versions),
 *   then the bytes of its vector as they were logged (little-endian float32; none where it is not alive), then LF.
 *
 * A line is what `JSON.stringify` writes, in UTF-8, and LF; metadata is a string that holds JSON, or null. The vectors'
 * length follows from the space, so nothing is ambiguous.
 * @param documents in that order; another order is a bug and throws
 */
export function digestDocuments(
  name: DigestedName,
  documents: Iterable<DigestedDocument>,
  options: DigestOptions = {},
): string {
  const digest = startDigest(name, options);
  for (const document of documents) digest.add(document);
  return digest.end();
}

/** Bytes digested before others have a turn: some 5 to 10 ms. */
const sliceBytes = 2 * 1024 * 1024;

/**
 * As `digestDocuments`, giving the event loop a turn every few milliseconds. Whoever calls it holds writes back
 * meanwhile; else it is the digest of no one state.
 */
export async function digestInSlices(
  name: DigestedName,
  documents: Iterable<DigestedDocument>,
  options: DigestOptions = {},
): Promise<string> {
  const digest = startDigest(name, options);
  let bytes = 0;
  for (const document of documents) {
    bytes += digest.add(document);
    if (bytes < sliceBytes) continue;
    bytes = 0;
    await new Promise((resolve) => setImmediate(resolve));
  }
  return digest.end();
}

/**
 * One digest of several: SHA-256 over lines `["lakehouse.digests.v1", kind, corpus, space, digest]`, sorted. The order in
 * which they are given does not matter.
 */
export function digestAll(digests: Iterable<DigestedName & { readonly digest: string }>): string {
  const lines = [...digests].map(({ kind, corpus, space, digest }) =>
    JSON.stringify(['lakehouse.digests.v1', kind, corpus, space, digest]),
  );
  const hash = createHash('sha256');
  for (const line of lines.sort()) hash.update(line, 'utf8').update('\n');
  return hash.digest('hex');
}

export interface RunningDigest {
  /** Returns the bytes that were digested. */
  add(document: DigestedDocument): number;
  end(): string;
}

/** A digest that documents are added to one by one, in the order of their ids. */
export function startDigest(name: DigestedName, { withoutVersions = false }: DigestOptions = {}): RunningDigest {
  const hash = createHash('sha256');
  const scheme = withoutVersions ? 'values' : 'versions';
  addLine(hash, ['lakehouse.digest.v1', name.kind, name.corpus, name.space, scheme]);
  let previous: Buffer | undefined;
  return {
    add: (document) => {
      const id = Buffer.from(document.id, 'utf8');
      if (previous !== undefined && Buffer.compare(previous, id) >= 0)
        throw new Error(`documents are not in the order of their ids: "${document.id}" came too late`);
      previous = id;
      return addDocument(hash, document, withoutVersions);
    },
    end: () => hash.digest('hex'),
  };
}

function addDocument(hash: Hash, { id, content, metadata, vector }: DigestedDocument, withoutVersions: boolean) {
  if (withoutVersions && vector === null) return 0;
  const bytes = withoutVersions
    ? addLine(hash, [id, content.hash, metadata.json])
    : addLine(hash, [id, content.version, content.hash, metadata.version, metadata.json]);
  if (vector !== null) hash.update(new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength));
  hash.update('\n');
  return bytes + (vector?.byteLength ?? 0) + 1;
}

function addLine(hash: Hash, values: readonly (string | number | null)[]): number {
  const line = JSON.stringify(values);
  hash.update(line, 'utf8').update('\n');
  return line.length + 1;
}
