import type { GatewayClient } from '../../gateway/client/client.ts';
import { withRetries } from '../../gateway/client/exchange.ts';
import type { IngestReply } from '../../schemas/requests/ingest.ts';
import type { SourcedDocument } from './documents.ts';

/** A request takes at most so many documents and bytes; the gateway's body limit is 4 MiB. */
export const sendLimits = {
  batchDocumentsMax: 500,
  /** With waiting a batch has to be embedded within the gateway's deadline. */
  waitedBatchDocumentsMax: 200,
  batchBytesMax: 2 * 1024 * 1024,
  attemptsMax: 8,
  deadlineMs: 120_000,
} as const;

export interface SendOptions {
  readonly client: GatewayClient;
  readonly corpus: string;
  readonly documents: Iterable<SourcedDocument> | AsyncIterable<SourcedDocument>;
  /** Wait until each batch can be found. */
  readonly waitSearchable: boolean;
  /**
   * The key of the batch that begins with the document of this number (from 0): a batch that is sent again under its key
   * is appended once, also where it has become longer or shorter.
   */
  readonly newKey: (first: number) => string;
  readonly onProgress: (sent: number) => void;
  /** Told when a batch is in the log, before the next is sent. */
  readonly onBatch?: (report: SendReport, documents: number) => void;
}

export interface RejectedDocument {
  readonly id: string;
  readonly reason: string;
  readonly message: string;
}

export interface SendReport {
  readonly accepted: number;
  /** Sequences of INGEST; null where nothing was sent. */
  readonly first_seq: number | null;
  readonly last_seq: number | null;
  /** How many can be found; null where that was not waited for. */
  readonly searchable: number | null;
  readonly rejected: readonly RejectedDocument[];
  readonly batches: number;
}

/** A batch was refused, or could not be sent. What went before it is appended. */
export class SendError extends Error {
  override readonly name = 'SendError';
  readonly before: SendReport;
  readonly batch: readonly SourcedDocument[];
  constructor(cause: unknown, before: SendReport, batch: readonly SourcedDocument[]) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.before = before;
    this.batch = batch;
  }
}

/**
 * Appends documents in their order, one request after the other, so that INGEST has the order of the source.
 * @throws SendError where a batch fails for good; an outage is retried a while first
 */
export async function sendDocuments(options: SendOptions): Promise<SendReport> {
  let report: SendReport = {
    accepted: 0,
    first_seq: null,
    last_seq: null,
    searchable: options.waitSearchable ? 0 : null,
    rejected: [],
    batches: 0,
  };
  let sent = 0;
  for await (const batch of batches(options.documents, options.waitSearchable)) {
    try {
      report = withReply(report, await sendBatch(options, batch, sent));
    } catch (error) {
      throw new SendError(error, report, batch);
    }
    sent += batch.length;
    options.onBatch?.(report, sent);
    options.onProgress(report.accepted);
  }
  return report;
}

function sendBatch(options: SendOptions, batch: readonly SourcedDocument[], first: number): Promise<IngestReply> {
  const call = {
    deadlineMs: sendLimits.deadlineMs,
    waitSearchable: options.waitSearchable,
    idempotencyKey: options.newKey(first),
  };
  const documents = batch.map(({ document }) => document);
  return withRetries(sendLimits.attemptsMax, () => options.client.ingest(options.corpus, documents, call));
}

function withReply(report: SendReport, reply: IngestReply): SendReport {
  return {
    accepted: report.accepted + reply.accepted,
    first_seq: report.first_seq ?? reply.first_seq,
    last_seq: reply.last_seq,
    searchable: report.searchable === null ? null : report.searchable + (reply.searchable ?? 0),
    rejected: [...report.rejected, ...(reply.rejected ?? [])],
    batches: report.batches + 1,
  };
}

async function* batches(
  documents: SendOptions['documents'],
  waited: boolean,
): AsyncGenerator<SourcedDocument[], void, void> {
  const countMax = waited ? sendLimits.waitedBatchDocumentsMax : sendLimits.batchDocumentsMax;
  let batch: SourcedDocument[] = [];
  let bytes = 0;
  for await (const document of documents) {
    if (batch.length > 0 && (batch.length >= countMax || bytes + document.bytes > sendLimits.batchBytesMax)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(document);
    bytes += document.bytes;
  }
  if (batch.length > 0) yield batch;
}
