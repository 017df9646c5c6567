import { setTimeout as delay } from 'node:timers/promises';
import { createGatewayClient } from '../../../gateway/client/client.ts';
import type { DocumentChangeInput } from '../../../schemas/events/ingest.ts';
import { encodeVector } from '../../../schemas/vector.ts';
import { createRandom, gaussian } from '../../random.ts';
import { workerAt, workerDocument } from '../../staffing/workers.ts';
import { givenSetting, serveParent } from '../children.ts';
import { corpusDimension, corpusSpace } from '../staffing-corpus.ts';

/** Documents a second for so long, in small requests at even times. */
export interface IngestTask {
  readonly corpus: string;
  readonly firstRow: number;
  readonly documentsPerSecond: number;
  readonly documentsPerRequest: number;
  readonly durationMs: number;
  readonly seed: number;
}

export interface IngestDone {
  readonly documents: number;
  readonly elapsedMs: number;
  /** Requests that were begun more than their own interval late. */
  readonly late: number;
}

const deadlineMs = 30_000;
const vectorStream = 11;

const client = createGatewayClient({ url: givenSetting('BENCH_GATEWAY'), deadlineMs });

serveParent(null, (message) => ingest(message as IngestTask));

async function ingest(task: IngestTask): Promise<IngestDone> {
  const { corpus, firstRow, documentsPerSecond, documentsPerRequest, durationMs, seed } = task;
  const total = Math.round((documentsPerSecond * durationMs) / 1_000);
  // Made before the clock starts: the generator's own work is no part of what is measured.
  const documents = Array.from({ length: total }, (_, at) => newDocument(firstRow + at, seed));
  const intervalMs = (documentsPerRequest * 1_000) / documentsPerSecond;
  const sending: Promise<unknown>[] = [];
  const began = performance.now();
  let late = 0;
  for (let at = 0; at < total; at += documentsPerRequest) {
    const dueMs = (at / documentsPerRequest) * intervalMs - (performance.now() - began);
    if (dueMs > 0) await delay(dueMs);
    else if (dueMs < -intervalMs) late++;
    sending.push(client.ingest(corpus, documents.slice(at, at + documentsPerRequest)));
  }
  await Promise.all(sending);
  return { documents: total, elapsedMs: performance.now() - began, late };
}

/** A worker that is not in the corpus yet, with a vector of its own in the corpus's space. */
function newDocument(row: number, seed: number): DocumentChangeInput {
  const random = createRandom(seed, vectorStream, row);
  const { id, text, metadata } = workerDocument(workerAt(row, seed));
  const vector = Float32Array.from({ length: corpusDimension }, () => gaussian(random));
  return { id, text, metadata, vector: encodeVector(vector), space: corpusSpace };
}
