import type { DocumentChangeInput } from '../../../schemas/events/ingest.ts';
import { encodeVector } from '../../../schemas/vector.ts';
import { runLoad } from '../../loadgen/run.ts';
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

/**
 * To make a task's requests, or to send those that were made. Making the vectors of one run keeps a processor busy for
 * more than a tenth of a second: it is asked for before anything is measured.
 */
export type IngestMessage = { readonly make: IngestTask } | { readonly send: true };

export interface IngestDone {
  readonly documents: number;
  readonly elapsedMs: number;
  /** How late requests left, in milliseconds. */
  readonly sendLagP99Ms: number;
}

const connections = 8;
const vectorStream = 11;

const url = `${givenSetting('BENCH_GATEWAY')}/v1/ingest/`;
let made: { readonly task: IngestTask; readonly documents: number; readonly bodies: readonly Buffer[] } | undefined;

serveParent(null, async (message) => {
  const asked = message as IngestMessage;
  if ('send' in asked) return send();
  const documents = Math.round((asked.make.documentsPerSecond * asked.make.durationMs) / 1_000);
  made = { task: asked.make, documents, bodies: [...requestBodies(asked.make, documents)] };
  return documents;
});

function* requestBodies(task: IngestTask, documents: number): Generator<Buffer, void, void> {
  const { firstRow, documentsPerRequest, seed } = task;
  const end = firstRow + documents;
  for (let row = firstRow; row < end; row += documentsPerRequest) {
    const count = Math.min(documentsPerRequest, end - row);
    const batch = Array.from({ length: count }, (_, at) => newDocument(row + at, seed));
    yield Buffer.from(JSON.stringify(batch), 'utf8');
  }
}

/** A worker that is not in the corpus yet, with a vector of its own in the corpus's space. */
function newDocument(row: number, seed: number): DocumentChangeInput {
  const random = createRandom(seed, vectorStream, row);
  const { id, text, metadata } = workerDocument(workerAt(row, seed));
  const vector = Float32Array.from({ length: corpusDimension }, () => gaussian(random));
  return { id, text, metadata, vector: encodeVector(vector), space: corpusSpace };
}

async function send(): Promise<IngestDone> {
  if (made === undefined) throw new Error('there is nothing to send: no requests were made');
  const { task, documents, bodies } = made;
  made = undefined;
  const { corpus, documentsPerSecond, documentsPerRequest } = task;
  const rate = documentsPerSecond / documentsPerRequest;
  const report = await runLoad({
    url: `${url}${corpus}`,
    bodies,
    concurrency: connections,
    requests: bodies.length,
    rate,
  });
  if (report.ok !== bodies.length)
    throw new Error(`of ${bodies.length} requests only ${report.ok} were accepted: ${JSON.stringify(report.statuses)}`);
  return { documents, elapsedMs: report.elapsedMs, sendLagP99Ms: report.sendLagMs?.p99 ?? Number.NaN };
}
