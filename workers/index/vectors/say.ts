import { ProblemError } from '../../../schemas/problems.ts';
import { appendBytes } from '../../../streams/append.ts';
import type { ServiceRequest } from '../../../streams/service.ts';
import { subjectOf } from '../../../streams/subjects.ts';
import type { VectorsPorts } from './ports.ts';

/** What the headers of an event may take of the largest message that the log takes. */
const eventHeaderBytesMax = 1_024;

/**
 * Says changes of documents as one event, all or nothing.
 * @returns its INGEST sequence, the version of whatever it says
 * @throws ProblemError `payload_too_large`; OutageError where the log is away or full
 */
export async function sayDocuments(
  corpus: string,
  changes: readonly object[],
  { traceId, traceparent }: Pick<ServiceRequest, 'traceId' | 'traceparent'>,
  { connection, nextId }: VectorsPorts,
): Promise<number> {
  const payload = Buffer.from(JSON.stringify({ items: changes }), 'utf8');
  const bytesMax = (connection.nats.info?.max_payload ?? Number.POSITIVE_INFINITY) - eventHeaderBytesMax;
  if (payload.length > bytesMax) {
    const detail = `${changes.length} items are an event of ${payload.length} bytes, and the log takes ${bytesMax}: send fewer at once; nothing was appended`;
    throw new ProblemError('payload_too_large', detail, {});
  }
  const subject = subjectOf('lakehouse.ingest', { corpus });
  return (await appendBytes(connection, subject, payload, { messageId: `vectors:${nextId()}`, traceId, traceparent }))
    .sequence;
}
