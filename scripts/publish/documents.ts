import { createReadStream } from 'node:fs';
import { decodeEvent } from '../../schemas/decode.ts';
import type { DocumentChangeInput } from '../../schemas/events/ingest.ts';
import { ElementError, jsonElements } from './json-elements.ts';

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

/**
 * The documents of an NDJSON file or a JSON array, each checked as INGEST's schema has it.
 * @throws DocumentFileError for the first one that does not fit; the error of `node:fs` where the file can not be read
 */
export async function* readDocuments(file: string): AsyncGenerator<SourcedDocument, void, void> {
  try {
    for await (const { text, line } of jsonElements(createReadStream(file, { encoding: 'utf8' }))) {
      const place = `${file}:${line}`;
      const bytes = Buffer.from(text, 'utf8');
      const decoded = decodeEvent('INGEST', bytes);
      if (!decoded.ok) throw new DocumentFileError(place, decoded.message);
      yield { document: JSON.parse(text) as DocumentChangeInput, place, bytes: bytes.length };
    }
  } catch (error) {
    if (error instanceof ElementError) throw new DocumentFileError(`${file}:${error.line}`, error.message);
    throw error;
  }
}
