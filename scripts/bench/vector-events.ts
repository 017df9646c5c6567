import { createHash } from 'node:crypto';
import type { VectorData } from '../../schemas/events/document.ts';
import { append } from '../../streams/append.ts';
import type { LogConnection } from '../../streams/connection.ts';
import { createVectorSource, encodeVector } from '../staffing/own-vectors.ts';
import { workers } from '../staffing/workers.ts';

export const ownDimension = 384;
export const ownSpace = `bench@${ownDimension}`;
export const ownCorpus = 'workers';
/** Vectors in a mixture of so many clusters. */
const clusters = 256;
const appendWindow = 256;

/** The vector that the document of a row brings: row 1 is the first. */
export function ownVectors(seed: number): (row: number) => Float32Array {
  return createVectorSource({ dimension: ownDimension, clusters, seed });
}

/** Vector events as the embed worker writes them for documents that bring their own vector: text and metadata included. */
export function* vectorEvents(count: number, seed: number): Generator<VectorData, void, void> {
  const vectorOf = ownVectors(seed);
  let row = 0;
  for (const { id, text, metadata } of workers({ count, seed })) {
    row++;
    const vector = encodeVector(vectorOf(row));
    const hash = createHash('sha256').update(text).update(vector).digest('hex');
    const content = { version: row, value: { hash, text, vector, truncated: false } };
    yield { corpus: ownCorpus, id, space: ownSpace, content, metadata: { version: row, value: metadata } };
  }
}

/**
 * Appends vector events straight to VECTORS, as the embed worker does: what comes before the index is left out.
 * @param connection as the embed worker
 */
export async function appendVectorEvents(
  connection: LogConnection,
  options: { readonly count: number; readonly seed: number; readonly onProgress: (done: number) => void },
): Promise<void> {
  const events = vectorEvents(options.count, options.seed);
  let done = 0;
  const appendInTurn = async (): Promise<void> => {
    // The appenders share one iterator; the connection keeps the order in which they publish.
    for (const data of events) {
      const { corpus, space, id } = data;
      const messageId = `bench:${data.content.version}`;
      await append(connection, 'lakehouse.vector', { corpus, space, key: id }, data, { messageId, source: 'bench' });
      done++;
      options.onProgress(done);
    }
  };
  await Promise.all(Array.from({ length: appendWindow }, appendInTurn));
}
