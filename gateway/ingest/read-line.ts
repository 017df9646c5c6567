import { decodeEvent } from '../../schemas/decode.ts';
import type { DocumentChange } from '../../schemas/events/ingest.ts';
import type { RefusedLine } from '../../schemas/requests/ingest.ts';
import { formatSpace, type Space } from '../../schemas/space.ts';
import { vectorFault, vectorFaultMessage } from '../../schemas/vector.ts';
import type { IngestEvent } from './read-events.ts';
import type { StreamRecord } from './stream-records.ts';

export type ReadLine = { readonly event: IngestEvent } | { readonly refused: RefusedLine };

/**
 * Makes an event of a record of a stream: a document, a batch, or CloudEvents around either, as a producer could publish
 * it to the bus. The checks are those of the worker that reads it later.
 */
export function readLine(record: StreamRecord, defaultSpace: Space, payloadBytesMax: number): ReadLine {
  const { line } = record;
  const refuse = (reason: string, id?: string): ReadLine => ({
    refused: { line, ...(id === undefined ? {} : { id: id.slice(0, idShownCharactersMax) }), reason },
  });
  if ('fault' in record) return refuse(record.fault, record.id);
  const { payload } = record;
  if (payload.length > payloadBytesMax)
    return refuse(`is an event of ${payload.length} bytes, and the log takes ${payloadBytesMax}`);
  const decoded = decodeEvent('INGEST', payload);
  if (!decoded.ok) return refuse(decoded.message, idOf(payload));
  if (decoded.event.type !== 'lakehouse.ingest') return refuse('is no document');
  const { items } = decoded.event.data;
  for (const item of items) {
    // Whoever waits for weak content that is outranked would wait without end: only this system's own merges say it.
    if (item.weak_after !== undefined) return refuse('weak_after: is not taken here', item.id);
    const fault = faultInDefaultSpace(item, defaultSpace);
    if (fault !== undefined) return refuse(fault, item.id);
  }
  return { event: { payload, ids: items.map(({ id }) => id), row: line } };
}

const idShownCharactersMax = 256;

function faultInDefaultSpace({ vector, space }: DocumentChange, defaultSpace: Space): string | undefined {
  if (vector === undefined || space !== undefined) return undefined;
  const fault = vectorFault(vector, defaultSpace.dimension);
  if (fault === undefined) return undefined;
  return `vector: ${vectorFaultMessage(fault, vector, defaultSpace.dimension)} (${formatSpace(defaultSpace)}, as none is named)`;
}

function idOf(payload: Uint8Array): string | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(payload).toString('utf8'));
    const id = typeof value === 'object' && value !== null && 'id' in value ? value.id : undefined;
    return typeof id === 'string' ? id : undefined;
  } catch {
    return undefined;
  }
}
