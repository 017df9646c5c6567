import { createHash } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { GatewayClient } from '../../gateway/client/client.ts';
import { minilmSpace } from '../../schemas/configuration.ts';
import type { DocumentChangeInput } from '../../schemas/events/ingest.ts';
import { formatSpace } from '../../schemas/space.ts';
import { encodeVector } from '../../schemas/vector.ts';
import { type WorkerDocument, workers } from '../staffing/workers.ts';

export const corpusSpace = formatSpace(minilmSpace);
export const corpusDimension = minilmSpace.dimension;
const embedBatch = 128;
const ingestBatch = 250;

export interface EmbeddedWorker {
  readonly document: WorkerDocument;
  /** As the embedded model made it. */
  readonly vector: Float32Array;
}

/**
 * Staffing workers with the vectors that the product's own embedder makes of their texts, over HTTP. Vectors are kept in
 * the system's temporary directory under the hash of the texts, as embedding takes a minute and does not change.
 */
export async function embedWorkers(
  client: GatewayClient,
  options: { readonly count: number; readonly seed: number; readonly note: (line: string) => void },
): Promise<EmbeddedWorker[]> {
  const documents = [...workers({ count: options.count, seed: options.seed })];
  const values = await embedTexts(
    client,
    documents.map(({ text }) => text),
    options.note,
  );
  return documents.map((document, row) => ({
    document,
    vector: values.slice(row * corpusDimension, (row + 1) * corpusDimension),
  }));
}

async function embedTexts(
  client: GatewayClient,
  texts: readonly string[],
  note: (line: string) => void,
): Promise<Float32Array> {
  const hash = createHash('sha256').update(corpusSpace);
  for (const text of texts) hash.update('\0').update(text);
  const file = join(tmpdir(), `lakehouse-bench-${hash.digest('hex').slice(0, 32)}.f32`);
  const kept = await readFile(file).catch(() => undefined);
  if (kept?.length === texts.length * corpusDimension * 4) {
    note(`took ${texts.length} vectors from ${file}`);
    return new Float32Array(Uint8Array.from(kept).buffer);
  }
  note(`embedding ${texts.length} texts with the embedded model (kept in ${file})`);
  const values = new Float32Array(texts.length * corpusDimension);
  for (let at = 0; at < texts.length; at += embedBatch) {
    const { vectors } = await client.embed({ texts: texts.slice(at, at + embedBatch), kind: 'document' });
    vectors.forEach((vector, place) => {
      values.set(vector, (at + place) * corpusDimension);
    });
  }
  const aside = `${file}.${process.pid}`;
  await writeFile(aside, new Uint8Array(values.buffer));
  await rename(aside, file);
  return values;
}

/** A document that brings its own vector. */
export function withVector({ document, vector }: EmbeddedWorker): DocumentChangeInput {
  const { id, text, metadata } = document;
  return { id, text, metadata, vector: encodeVector(vector), space: corpusSpace };
}

/** Ingests through the gateway, and waits until every document can be found. */
export async function ingestWorkers(
  client: GatewayClient,
  corpus: string,
  embedded: readonly EmbeddedWorker[],
): Promise<void> {
  for (let at = 0; at < embedded.length; at += ingestBatch) {
    const batch = embedded.slice(at, at + ingestBatch).map(withVector);
    const reply = await client.ingest(corpus, batch, { waitSearchable: true });
    const refused = reply.rejected?.[0];
    if (refused !== undefined) throw new Error(`${refused.id} was rejected: ${refused.reason} ${refused.message}`);
  }
}
