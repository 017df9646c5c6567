import { createReadStream } from 'node:fs';
import { csvRecords } from '../../gateway/ingest/csv-records.ts';
import { decodeEvent } from '../../schemas/decode.ts';
import type { DocumentChangeInput } from '../../schemas/events/ingest.ts';
import { ProblemError } from '../../schemas/problems.ts';
import type { CsvQuery } from '../../schemas/requests/ingest.ts';
import { ElementError, elementCharactersMax, type JsonElement, jsonElements } from './json-elements.ts';

/** A document of a file, ready to be sent, with the place that it came from (`file:line`). */
export interface SourcedDocument {
  readonly document: DocumentChangeInput;
  readonly place: string;
  readonly bytes: number;
}

/** What is wrong in a file, and where. */
export class DocumentFileError extends Error {
  override readonly name = 'DocumentFileError';
  readonly place: string;
  readonly reason: string;
  constructor(place: string, reason: string) {
    super(`${place}: ${reason}`);
    this.place = place;
    this.reason = reason;
  }
}

export interface ReadOptions {
  /** The file is CSV, and its columns become this. */
  readonly csv?: CsvQuery;
  /** Given every byte that is read. */
  readonly onBytes?: (bytes: Uint8Array) => void;
}

/**
 * The documents of an NDJSON file, a JSON array or a CSV file, each checked as INGEST's schema has it.
 * @throws DocumentFileError for the first one that does not fit; the error of `node:fs` where the file can not be read
 */
export async function* readDocuments(
  file: string,
  { csv, onBytes }: ReadOptions = {},
): AsyncGenerator<SourcedDocument, void, void> {
  const chunks = readChunks(file, onBytes);
  try {
    for await (const { text, line } of csv === undefined ? jsonElements(decoded(chunks)) : csvElements(chunks, csv)) {
      const place = `${file}:${line}`;
      const bytes = Buffer.from(text, 'utf8');
      const event = decodeEvent('INGEST', bytes);
      if (!event.ok) throw new DocumentFileError(place, event.message);
      yield { document: plainDocument(JSON.parse(text), place), place, bytes: bytes.length };
    }
  } catch (error) {
    if (error instanceof ElementError) throw new DocumentFileError(`${file}:${error.line}`, error.message);
    throw error;
  }
}

async function* readChunks(file: string, onBytes?: (bytes: Uint8Array) => void): AsyncGenerator<Buffer, void, void> {
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
    onBytes?.(chunk);
    yield chunk;
  }
}

async function* decoded(chunks: AsyncIterable<Buffer>): AsyncGenerator<string, void, void> {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  for await (const chunk of chunks) yield decoder.decode(chunk, { stream: true });
  yield decoder.decode();
}

async function* csvElements(chunks: AsyncIterable<Buffer>, csv: CsvQuery): AsyncGenerator<JsonElement, void, void> {
  const options = { recordBytesMax: elementCharactersMax, firstLine: 1, holding: () => undefined };
  try {
    for await (const records of csvRecords(chunks, csv, options))
      for (const record of records) {
        if ('fault' in record) throw new ElementError(record.line, record.fault);
        yield { text: Buffer.from(record.payload).toString('utf8'), line: record.line };
      }
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    const { line, detail } = error.problem;
    throw new ElementError(typeof line === 'number' ? line : 1, detail);
  }
}

/** The gateway takes plain documents: an envelope around one is taken off. */
function plainDocument(value: { specversion?: unknown; data?: unknown }, place: string): DocumentChangeInput {
  const document = (value.specversion === undefined ? value : value.data) as DocumentChangeInput;
  if (!('items' in document)) return document;
  throw new DocumentFileError(place, 'is a batch ("items"); give each document a line of its own');
}
