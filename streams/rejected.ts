import { type RejectedData, type RejectionReason, rejectedPayloadBytesMax } from '../schemas/events/rejected.ts';
import { append } from './append.ts';
import type { LogConnection } from './connection.ts';

export interface Rejection {
  readonly reason: RejectionReason;
  readonly message: string;
  /** The INGEST sequence that will not become searchable because of this; null where the message is of another kind. */
  readonly version: number | null;
}

export interface RejectedSource {
  readonly stream: string;
  readonly sequence: number;
  readonly subject: string;
  readonly payload: Uint8Array;
  readonly attempts: number;
}

/** Sets a message aside in REJECTED. One row per message and worker, however often it is done. */
export async function appendRejected(
  connection: LogConnection,
  worker: string,
  source: RejectedSource,
  rejection: Rejection,
): Promise<void> {
  const { stream, sequence, subject, payload, attempts } = source;
  const { reason, message, version } = rejection;
  const kept = payload.subarray(0, rejectedPayloadBytesMax);
  const data: RejectedData = {
    stream,
    sequence,
    subject,
    worker,
    attempts,
    reason,
    message,
    version,
    payload_base64: Buffer.from(kept).toString('base64'),
    payload_cut: kept.length < payload.length,
  };
  await append(connection, 'lakehouse.rejected', { stream, worker }, data, {
    messageId: `rejected:${stream}:${sequence}:${worker}`,
    source: `${worker}-worker`,
  });
  connection.telemetry.metrics.countRejected(reason);
}
