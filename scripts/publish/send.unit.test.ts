import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { GatewayClient, IngestOptions } from '../../gateway/client/client.ts';
import { GatewayError } from '../../gateway/client/errors.ts';
import type { DocumentChangeInput } from '../../schemas/events/ingest.ts';
import { problem } from '../../schemas/problems.ts';
import { DocumentFileError, readDocuments, type SourcedDocument } from './documents.ts';
import { SendError, sendDocuments, sendLimits } from './send.ts';

interface Sent {
  readonly corpus: string;
  readonly documents: readonly DocumentChangeInput[];
  readonly options: IngestOptions | undefined;
}

/** A gateway that appends what it is sent, and refuses the batch that holds the document `refusedId`. */
function fakeGateway(refusedId?: string) {
  const sent: Sent[] = [];
  let sequence = 0;
  const ingest: GatewayClient['ingest'] = async (corpus, documents, options) => {
    const row = documents.findIndex(({ id }) => id === refusedId);
    if (row >= 0) throw new GatewayError(problem('invalid_document', 'no', { row }));
    sent.push({ corpus, documents, options });
    const first_seq = sequence + 1;
    sequence += documents.length;
    const counts = { accepted: documents.length, first_seq, last_seq: sequence };
    return options?.waitSearchable === true ? { ...counts, searchable: documents.length, rejected: [] } : counts;
  };
  return { client: { ingest } as GatewayClient, sent };
}

function documents(count: number, bytes = 100): SourcedDocument[] {
  return Array.from({ length: count }, (_, at) => ({
    document: { id: `d-${at}`, text: 'text' },
    place: `file:${at + 1}`,
    bytes,
  }));
}

function options(client: GatewayClient, given: readonly SourcedDocument[], waitSearchable = false) {
  let keys = 0;
  const progress: number[] = [];
  const onProgress = (count: number) => progress.push(count);
  return {
    client,
    corpus: 'workers',
    documents: given,
    waitSearchable,
    newKey: () => `key-${++keys}`,
    onProgress,
    progress,
  };
}

describe('sending documents', () => {
  it('sends them in order, in batches with a key each', async () => {
    const { client, sent } = fakeGateway();
    const given = documents(sendLimits.batchDocumentsMax + 1);
    const asked = options(client, given);
    expect(await sendDocuments(asked)).toEqual({
      accepted: given.length,
      first_seq: 1,
      last_seq: given.length,
      searchable: null,
      rejected: [],
      batches: 2,
    });
    expect(sent.flatMap((one) => one.documents)).toEqual(given.map(({ document }) => document));
    expect(sent.map((one) => one.options?.idempotencyKey)).toEqual(['key-1', 'key-2']);
    expect(asked.progress).toEqual([sendLimits.batchDocumentsMax, given.length]);
  });

  it('keeps a batch below its byte limit, and sends alone what is larger', async () => {
    const { client, sent } = fakeGateway();
    const half = Math.floor(sendLimits.batchBytesMax / 2);
    await sendDocuments(options(client, [...documents(4, half), ...documents(1, sendLimits.batchBytesMax + 1)]));
    expect(sent.map((one) => one.documents.length)).toEqual([2, 2, 1]);
  });

  it('waits in smaller batches and counts what can be found', async () => {
    const { client, sent } = fakeGateway();
    const given = documents(sendLimits.waitedBatchDocumentsMax * 2);
    expect(await sendDocuments(options(client, given, true))).toMatchObject({ searchable: given.length, batches: 2 });
    expect(sent.every((one) => one.options?.waitSearchable === true)).toBe(true);
  });

  it('sends nothing for no documents', async () => {
    const { client, sent } = fakeGateway();
    expect(await sendDocuments(options(client, []))).toMatchObject({ accepted: 0, first_seq: null, last_seq: null });
    expect(sent).toEqual([]);
  });

  it('tells what went before a batch that is refused', async () => {
    const { client } = fakeGateway(`d-${sendLimits.batchDocumentsMax + 3}`);
    const error = await sendDocuments(options(client, documents(sendLimits.batchDocumentsMax + 5))).catch((e) => e);
    expect(error).toBeInstanceOf(SendError);
    expect(error.before.accepted).toBe(sendLimits.batchDocumentsMax);
    expect(error.batch[error.cause.problem.row].place).toBe(`file:${sendLimits.batchDocumentsMax + 4}`);
  });
});

describe('a file of documents', () => {
  async function read(text: string): Promise<SourcedDocument[]> {
    const folder = await mkdtemp(join(tmpdir(), 'lakehouse-file-'));
    try {
      const file = join(folder, 'documents');
      await writeFile(file, text);
      const found: SourcedDocument[] = [];
      for await (const one of readDocuments(file)) found.push({ ...one, place: one.place.slice(folder.length + 1) });
      return found;
    } catch (error) {
      if (error instanceof DocumentFileError)
        throw new DocumentFileError(error.place.slice(folder.length + 1), error.reason);
      throw error;
    } finally {
      await rm(folder, { recursive: true });
    }
  }

  it('is read a document a line, envelopes taken off', async () => {
    const envelope = { specversion: '1.0', id: '1', source: 's', type: 't', data: { id: 'b', deleted: true } };
    const found = await read(`{"id":"a","text":"t"}\n${JSON.stringify(envelope)}\n`);
    expect(found.map(({ document, place }) => ({ document, place }))).toEqual([
      { document: { id: 'a', text: 't' }, place: 'documents:1' },
      { document: { id: 'b', deleted: true }, place: 'documents:2' },
    ]);
  });

  it.each([
    { name: 'a line that is no JSON', text: '{"id":"a","text":"t"}\n{"id":', place: 'documents:2' },
    { name: 'a document without content', text: '[{"id":"a","text":"t"},\n{"id":"b"}]', place: 'documents:2' },
    { name: 'an empty text', text: '{"id":"a","text":" "}', place: 'documents:1' },
    { name: 'an unknown field', text: '{"id":"a","text":"t","txt":"t"}', place: 'documents:1' },
    { name: 'a batch', text: '\n{"items":[{"id":"a","text":"t"}]}', place: 'documents:2' },
  ])('is refused at $place for $name', async ({ text, place }) => {
    await expect(read(text)).rejects.toSatisfy(
      (error: unknown) => error instanceof DocumentFileError && error.place === place && error.reason.length > 5,
    );
  });
});
