import { decodeEvent } from '../../../schemas/decode.ts';
import type { DocumentContent, DocumentData, VectorData } from '../../../schemas/events/document.ts';
import type { Position } from '../../../schemas/position.ts';
import { ProblemError } from '../../../schemas/problems.ts';
import {
  type DocumentReply,
  type DocumentStage,
  documentRequestSchema,
  documentsRequestSchema,
} from '../../../schemas/requests/lookups.ts';
import { parseRequestBytes } from '../../../schemas/requests/parse.ts';
import { readNewest } from '../../../streams/append.ts';
import type { LogConnection } from '../../../streams/connection.ts';
import type { ServiceHandler } from '../../../streams/service.ts';
import { readMessage } from '../../../streams/stream-reader.ts';
import { subjectOf, tokenAt } from '../../../streams/subjects.ts';
import type { IndexCatalogue, IndexEntry } from '../../corpus-index/catalogue.ts';
import { dropFloor } from '../../documents/corpus-state.ts';
import { effectiveMetadata, withoutDropped } from '../../documents/document-state.ts';
import { reachPosition, type WaitForPosition } from '../reached.ts';
import type { Rejections } from '../rejections.ts';
import { pageOf } from './page.ts';

export interface DocumentLookupPorts {
  readonly catalogue: IndexCatalogue;
  readonly connection: LogConnection;
  readonly rejected: Rejections;
  readonly position: () => Position;
  readonly waitForPosition: WaitForPosition;
}

/** `svc.index.document` and `svc.index.documents`: what is known of one document, and pages of those that can be found. */
export function documentLookups(ports: DocumentLookupPorts): Record<string, ServiceHandler> {
  const { connection, position, waitForPosition } = ports;
  return {
    'svc.index.document': async (request) => {
      const { corpus, id, version } = parseRequestBytes(documentRequestSchema, request.body);
      await reachPosition(request, connection.clock, waitForPosition);
      const reply = await lookUp(corpus, id, version, ports);
      return { body: JSON.stringify(reply), position: position() };
    },
    'svc.index.documents': async (request) => {
      const { corpus, ...page } = parseRequestBytes(documentsRequestSchema, request.body);
      await reachPosition(request, connection.clock, waitForPosition);
      const entries = servingFirst(corpus, ports.catalogue);
      if (entries.length === 0) throw new ProblemError('not_found', `there is no corpus "${corpus}"`, { corpus });
      const { rows, nextCursor } = pageOf(living(entries), page);
      const documents = rows.map(({ id, entry }) => rowOf(id, entry));
      const body = `{"documents":[${documents.join(',')}],"next_cursor":${JSON.stringify(nextCursor)}}`;
      return { body, position: position() };
    },
  };
}

/** Every document that can be found, once, though it may be held in several spaces; the first that has it tells it. */
export function* living(entries: readonly IndexEntry[]): Generator<{ id: string; entry: IndexEntry }> {
  for (const [place, entry] of entries.entries()) {
    const before = entries.slice(0, place);
    for (const id of entry.index.ids()) if (!before.some(({ index }) => index.has(id))) yield { id, entry };
  }
}

function servingFirst(corpus: string, catalogue: IndexCatalogue): readonly IndexEntry[] {
  const serving = catalogue.serving(corpus, null);
  const entries = catalogue.ofCorpus('documents', corpus, null);
  return serving === undefined ? entries : [serving, ...entries.filter((entry) => entry !== serving)];
}

/** Metadata goes into the answer as the text that it is kept as. */
function rowOf(id: string, { space, index }: IndexEntry): string {
  const known = index.lookup(id);
  const content = JSON.stringify({ version: known?.content.version ?? 0, hash: known?.content.hash ?? null });
  const metadata = `{"version":${known?.metadata.version ?? 0},"value":${known?.metadata.json ?? 'null'}}`;
  return `{"id":${JSON.stringify(id)},"space":${JSON.stringify(space)},"content":${content},"metadata":${metadata}}`;
}

async function lookUp(
  corpus: string,
  id: string,
  version: number | undefined,
  ports: DocumentLookupPorts,
): Promise<DocumentReply> {
  const { connection, rejected } = ports;
  const subject = subjectOf('lakehouse.document', { corpus, key: id });
  const newestState = (await readNewest(connection, 'lakehouse.document', subject))?.data;
  const document = newestState && withoutDropped(newestState, dropFloor(ports.catalogue.corpusState(corpus)));
  const newest = rejected.ofDocument(corpus, id);
  const told = document === undefined ? undefined : await describe(document, ports);
  if (version !== undefined && version > (told?.version ?? 0)) {
    const refused = rejected.ofVersion(version);
    if (refused === undefined) await refuseUnspoken(corpus, id, version, connection);
    const stage = refused === undefined ? 'accepted' : 'rejected';
    return { ...(told ?? unknownDocument(corpus, id)), stage, rejected: refused ?? null };
  }
  if (told === undefined) {
    if (newest !== undefined) return { ...unknownDocument(corpus, id), stage: 'rejected', rejected: newest };
    throw new ProblemError('not_found', `nothing was ever said of "${id}" in "${corpus}", or it was not read yet`);
  }
  return { ...told, rejected: newest !== undefined && newest.version >= told.version ? newest : null };
}

function unknownDocument(corpus: string, id: string): DocumentReply {
  return {
    corpus,
    id,
    state: 'unknown',
    stage: 'accepted',
    version: 0,
    content: { version: 0, hash: null, space: null, text: null, truncated: null },
    metadata: { version: 0, value: null },
    rejected: null,
  };
}

async function describe(document: DocumentData, ports: DocumentLookupPorts): Promise<DocumentReply> {
  const { corpus, id, content } = document;
  const metadata = effectiveMetadata(document);
  const { value } = content;
  const version = Math.max(content.version, metadata.version);
  const indexed = isIndexed(document, ports);
  // Only what no index has heard of is looked for in the log, where an older state may lie behind a newer one.
  const vector = indexed ? undefined : await newestVector(document, ports.connection);
  return {
    corpus,
    id,
    state: value !== null ? 'alive' : content.version > 0 ? 'deleted' : 'metadata_only',
    stage: indexed ? 'searchable' : stageOf(document, vector, ports),
    version,
    content: {
      version: content.version,
      hash: value?.hash ?? null,
      space: value?.space ?? null,
      text: value?.text ?? null,
      truncated: value === null ? null : truncationOf(document, value, vector, ports),
    },
    metadata,
    rejected: null,
  };
}

async function newestVector(document: DocumentData, connection: LogConnection): Promise<VectorData | undefined> {
  const { corpus, id, content, former_spaces } = document;
  const space = content.value?.space ?? former_spaces[0];
  if (space === undefined) return undefined;
  const subject = subjectOf('lakehouse.vector', { space, corpus, key: id });
  return (await readNewest(connection, 'lakehouse.vector', subject))?.data;
}

/** Whether only the beginning of the text was embedded; null where its vector is not there yet. */
function truncationOf(
  { corpus, id }: DocumentData,
  { hash, space }: DocumentContent,
  vector: VectorData | undefined,
  { catalogue }: DocumentLookupPorts,
): boolean | null {
  const entry = catalogue.ofCorpus('documents', corpus, null).find((one) => one.space === space);
  const known = entry?.index.lookup(id)?.content;
  if (known?.hash === hash) return known.truncated ?? false;
  const logged = vector?.content.value;
  return logged?.hash === hash ? logged.truncated : null;
}

interface Versions {
  readonly content: { readonly version: number };
  readonly metadata: { readonly version: number };
}

function isAsNew(known: Versions | undefined, document: DocumentData): boolean {
  const version = Math.max(document.content.version, effectiveMetadata(document).version);
  return known !== undefined && Math.max(known.content.version, known.metadata.version) >= version;
}

function isIndexed(document: DocumentData, { catalogue }: DocumentLookupPorts): boolean {
  const entries = catalogue.ofCorpus('documents', document.corpus, null);
  return entries.some(({ index }) => isAsNew(index.lookup(document.id), document));
}

function stageOf(
  document: DocumentData,
  vector: VectorData | undefined,
  { rejected }: DocumentLookupPorts,
): DocumentStage {
  if (isAsNew(vector, document)) return 'embedded';
  return rejected.ofVersion(document.content.version) === undefined ? 'ingested' : 'rejected';
}

/** @throws ProblemError `not_found` where that event did not speak of the document */
async function refuseUnspoken(corpus: string, id: string, version: number, connection: LogConnection): Promise<void> {
  const message = await readMessage(connection, 'INGEST', version);
  if (message !== undefined && tokenAt(message.subject, 1) === corpus) {
    const decoded = decodeEvent('INGEST', message.payload, message.subject);
    if (
      decoded.ok &&
      decoded.event.type === 'lakehouse.ingest' &&
      decoded.event.data.items.some((item) => item.id === id)
    )
      return;
  }
  throw new ProblemError('not_found', `the event ${version} of INGEST says nothing of "${id}" in "${corpus}"`);
}
