import { isUtf8 } from 'node:buffer';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { documentChangeSchema } from '../../schemas/events/ingest.ts';
import { firstIssue, issueSentence, ProblemError } from '../../schemas/problems.ts';
import { ingestRowsMax } from '../../schemas/requests/ingest.ts';
import { formatSpace, type Space } from '../../schemas/space.ts';
import { vectorFault, vectorFaultMessage } from '../../schemas/vector.ts';
import type { Clock } from '../../streams/clock.ts';
import { gatewayLimits } from '../limits.ts';
import { arrayElements, skipSpace } from './array-elements.ts';

/** One event to append: its bytes as the producer wrote them, and the documents that it speaks of. */
export interface IngestEvent {
  readonly payload: Uint8Array;
  readonly ids: readonly string[];
  /** Where it stands in a stream: its line. Else it is counted within its request. */
  readonly row?: number;
}

export interface ReadEventsContext {
  /** The space of a vector that names none. */
  readonly defaultSpace: Space;
  readonly clock: Clock;
}

/**
 * Reads the body of an ingest request: a document, an array of documents (an event each), or `{items: [...]}` (one event
 * that is all or nothing). Every document is checked before anything is given back.
 * @throws ProblemError `bad_request` where the body is none of these; `invalid_document` with `row` (from 0), `reason`
 * and, where known, `id` of the first document that is refused
 */
export async function readEvents(body: Uint8Array, context: ReadEventsContext): Promise<IngestEvent[]> {
  if (!isUtf8(body)) throw new ProblemError('bad_request', 'the body is not UTF-8');
  if (body[skipSpace(body, 0)] === 0x5b) return readArray(body, context);
  const value = parseJson(body, (reason) => new ProblemError('bad_request', `the body is not JSON: ${reason}`));
  if (typeof value !== 'object' || value === null)
    throw new ProblemError('bad_request', 'the body must be a document, an array of documents, or {"items": [...]}');
  if (!('items' in value)) return [{ payload: body, ids: [checkDocument(value, 0, context.defaultSpace)] }];
  return [{ payload: body, ids: await readItems(value, context) }];
}

async function readArray(body: Uint8Array, context: ReadEventsContext): Promise<IngestEvent[]> {
  const elements = arrayElements(body);
  if (elements === undefined) throw new ProblemError('bad_request', 'the body is not JSON: it begins as an array');
  checkCount(elements.length);
  return checkAll(elements, context, (payload, row) => {
    const value = parseJson(payload, (reason) => refused(row, undefined, `is not JSON: ${reason}`));
    return { payload, ids: [checkDocument(value, row, context.defaultSpace)] };
  });
}

async function readItems(value: { items: unknown }, context: ReadEventsContext): Promise<string[]> {
  const others = Object.keys(value).filter((key) => key !== 'items');
  if (others.length > 0)
    throw new ProblemError('bad_request', `unknown field "${others[0]}" beside "items"`, { field: others[0] });
  if (!Array.isArray(value.items)) throw new ProblemError('bad_request', 'items: must be an array of documents');
  const items: unknown[] = value.items;
  checkCount(items.length);
  return checkAll(items, context, (item, row) => checkDocument(item, row, context.defaultSpace));
}

function checkCount(rows: number): void {
  if (rows === 0) throw new ProblemError('bad_request', 'there is no document in the body');
  if (rows > ingestRowsMax)
    throw new ProblemError('bad_request', `${rows} documents at once, where ${ingestRowsMax} are taken: send less`);
}

/** Checks row by row, and lets other requests in between. */
async function checkAll<Row, Checked>(
  rows: readonly Row[],
  { clock }: ReadEventsContext,
  check: (row: Row, index: number) => Checked,
): Promise<Checked[]> {
  const checked: Checked[] = [];
  let sliceBeganMs = clock.monotonicMs();
  for (const [index, row] of rows.entries()) {
    checked.push(check(row, index));
    if (clock.monotonicMs() - sliceBeganMs < gatewayLimits.checkSliceMs) continue;
    await nextTurn();
    sliceBeganMs = clock.monotonicMs();
  }
  return checked;
}

/** The id of a document that can be taken. The checks are those of the worker that reads the event later. */
function checkDocument(value: unknown, row: number, defaultSpace: Space): string {
  const parsed = documentChangeSchema.safeParse(value);
  if (!parsed.success)
    throw refused(row, idOf(value), issueSentence(parsed.error), { field: firstIssue(parsed.error).path });
  const { id, vector, space } = parsed.data;
  if (vector === undefined || space !== undefined) return id;
  const fault = vectorFault(vector, defaultSpace.dimension);
  if (fault === undefined) return id;
  const reason = `vector: ${vectorFaultMessage(fault, vector, defaultSpace.dimension)} (${formatSpace(defaultSpace)}, as none is named)`;
  throw refused(row, id, reason, { field: 'vector' });
}

function refused(row: number, id: string | undefined, reason: string, more: { field?: string } = {}): ProblemError {
  const named = id === undefined ? `row ${row}` : `row ${row} (id ${JSON.stringify(id)})`;
  const detail = `${named}: ${reason}; nothing was appended`;
  return new ProblemError('invalid_document', detail, { row, ...(id === undefined ? {} : { id }), reason, ...more });
}

const idShownCharactersMax = 256;

function idOf(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || !('id' in value)) return undefined;
  return typeof value.id === 'string' ? value.id.slice(0, idShownCharactersMax) : undefined;
}

function parseJson(bytes: Uint8Array, refuse: (reason: string) => ProblemError): unknown {
  try {
    return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'));
  } catch (error) {
    throw refuse(error instanceof Error ? error.message : String(error));
  }
}
