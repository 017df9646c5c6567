import { createHash } from 'node:crypto';
import type { IndexEntry } from './catalogue.ts';

const sliceMs = 10;

/**
 * The state digest of one index: sha256 in hex over its logical content, never over the bytes of a graph. A header line
 * (`kind corpus space`), then for every id ever heard of, tombstones too, in the order of its UTF-8 bytes, a JSON line of
 * `[id, content version, content hash, sha256 of the vector's bytes, metadata version, metadata]`, each ended by a line feed.
 * Gives up the thread every 10 ms; the caller keeps the index still.
 */
export async function digestOfIndex({ kind, corpus, space, index }: IndexEntry): Promise<string> {
  const whole = createHash('sha256');
  whole.update(`${kind} ${corpus} ${space}\n`);
  let sliceBegan = performance.now();
  for (const { id, content, metadata, vector } of index.entries()) {
    const vectorHash = vector === null ? null : sha256(vector);
    const line = [id, content.version, content.hash, vectorHash, metadata.version, metadata.json];
    whole.update(`${JSON.stringify(line)}\n`);
    if (performance.now() - sliceBegan < sliceMs) continue;
    await new Promise((resolve) => setImmediate(resolve));
    sliceBegan = performance.now();
  }
  return whole.digest('hex');
}

function sha256(vector: Float32Array): string {
  return createHash('sha256')
    .update(new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength))
    .digest('hex');
}
