import { streamNames } from '../../schemas/catalog.ts';
import { decodeEvent } from '../../schemas/decode.ts';
import type { RejectedData } from '../../schemas/events/rejected.ts';
import type { LogConnection } from '../../streams/connection.ts';
import type { DeadLetter } from '../../streams/rejections.ts';
import { readPayload } from '../../streams/stream-reader.ts';
import type { Cause } from '../../streams/trace-headers.ts';

/** A dead letter with what lay in its stream: as text where it is UTF-8, else in base64; null where it is gone. */
export interface ShownPayload {
  readonly payload: string | null;
  readonly encoding: 'utf8' | 'base64' | null;
  /** Where the bytes came from. */
  readonly from: 'rejected' | 'stream' | 'gone';
  readonly bytes: number | null;
}

/** What a row holds, and the trace that its work belongs to. */
export type RejectedRow = RejectedData & Cause;

/** The whole row of a dead letter's newest rejection. */
export async function readRow(connection: LogConnection, { row }: DeadLetter): Promise<RejectedRow | undefined> {
  const payload = await readPayload(connection, 'REJECTED', row);
  const decoded = payload === undefined ? undefined : decodeEvent('REJECTED', payload);
  if (decoded?.ok !== true || decoded.event.type !== 'lakehouse.rejected') return undefined;
  const { data, traceId, traceparent } = decoded.event;
  return { ...data, traceId, traceparent };
}

/** The payload from the row, or from its own stream where it was too long to be copied. */
export async function readShownPayload(connection: LogConnection, row: RejectedData): Promise<ShownPayload> {
  if (row.payload_base64 !== null) return shown(Buffer.from(row.payload_base64, 'base64'), 'rejected');
  const stream = streamNames.find((name) => name === row.stream);
  const found = stream === undefined ? undefined : await readPayload(connection, stream, row.sequence);
  if (found === undefined) return { payload: null, encoding: null, from: 'gone', bytes: row.payload_bytes };
  return shown(Buffer.from(found), 'stream');
}

function shown(bytes: Buffer, from: 'rejected' | 'stream'): ShownPayload {
  const text = bytes.toString('utf8');
  const isText = Buffer.from(text, 'utf8').equals(bytes);
  return {
    payload: isText ? text : bytes.toString('base64'),
    encoding: isText ? 'utf8' : 'base64',
    from,
    bytes: bytes.length,
  };
}
