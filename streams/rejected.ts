import type { EventData } from '../schemas/catalog.ts';
import type { EventOf } from '../schemas/decode.ts';
import { encodeEvent } from '../schemas/encode.ts';
import {
  type RejectedResolvedData,
  type RejectionReason,
  rejectedPayloadBytesMax,
} from '../schemas/events/rejected.ts';
import { type Appended, append, appendBytes, ConflictError, OutageError, readNewestEvent } from './append.ts';
import { isoTime } from './clock.ts';
import { subjectOf } from './subjects.ts';
import type { Cause } from './trace-headers.ts';
import type { RuntimeConnection } from './transport.ts';

export interface Rejection {
  readonly reason: RejectionReason;
  readonly message: string;
  /** The INGEST sequence that will not become searchable because of this; null where the message is of another kind. */
  readonly version: number | null;
}

/** A message as it lies in its stream, and what its work belongs to. */
export interface RejectedSource extends Cause {
  readonly stream: string;
  readonly sequence: number;
  readonly subject: string;
  readonly payload: Uint8Array;
  readonly attempts: number;
}

/** Which message was set aside by whom: what a dead letter is known by. */
export interface RejectionIdentity {
  readonly stream: string;
  readonly sequence: number;
  readonly worker: string;
}

type Said = Exclude<EventOf<'REJECTED'>, { type: 'lakehouse.rejected-retry' }>;

const conflictsMax = 20;

/**
 * Sets a message aside in REJECTED. One row per message, worker and retry, however often and however late it is done: the
 * subject is the message's own, and what it holds decides.
 * @param retry the REJECTED sequence of the retry that failed; 0 for a message that comes from its stream
 */
export async function appendRejected(
  connection: RuntimeConnection,
  worker: string,
  source: RejectedSource,
  rejection: Rejection,
  retry = 0,
): Promise<void> {
  const { stream, sequence, subject, payload, traceId, traceparent } = source;
  const { reason, message, version } = rejection;
  const fits = payload.length <= rejectedPayloadBytesMax;
  const identity = { stream, sequence, worker };
  const cause = { traceId, traceparent };
  const isNew = await settle(connection, 'lakehouse.rejected', { ...identity, retry, ...cause }, (before) => {
    const attempts = source.attempts + (before?.type === 'lakehouse.rejected' ? before.data.attempts : 0);
    const payload_base64 = fits ? Buffer.from(payload).toString('base64') : null;
    const said = { ...identity, subject, reason, message, attempts, version, payload_base64, retry };
    return encodeRejection(connection, 'lakehouse.rejected', { ...said, payload_bytes: payload.length }, cause);
  });
  if (isNew) connection.telemetry.metrics.countRejected(reason);
}

/**
 * Marks a dead letter as settled; its version is that of the rejection. Marking it again for the same retry changes
 * nothing.
 */
export async function appendResolved(
  connection: RuntimeConnection,
  resolved: Omit<RejectedResolvedData, 'version'>,
): Promise<void> {
  await settle(connection, 'lakehouse.rejected-resolved', resolved, (before) =>
    encodeRejection(connection, 'lakehouse.rejected-resolved', { ...resolved, version: before?.data.version ?? null }),
  );
}

function encodeRejection<Name extends Said['type']>(
  { clock }: RuntimeConnection,
  name: Name,
  data: EventData<Name> & { readonly retry: number } & RejectionIdentity,
  cause: Cause = {},
): Buffer {
  const source = 'outcome' in data && data.outcome === 'dropped' ? 'operator' : `${data.worker}-worker`;
  return encodeEvent(name, data, { id: messageIdOf(name, data), source, time: isoTime(clock), ...cause });
}

function messageIdOf(name: Said['type'], said: RejectionIdentity & { readonly retry: number }): string {
  const kind = name === 'lakehouse.rejected' ? 'rejected' : 'resolved';
  return `${kind}:${said.stream}:${said.sequence}:${said.worker}:${said.retry}`;
}

/** Asks the worker that set a message aside to take it again. `after` is the row that is answered by this. */
export function appendRetry(
  connection: RuntimeConnection,
  { stream, sequence, worker }: RejectionIdentity,
  after: number,
): Promise<Appended> {
  const tokens = { stream, worker, sequence: String(sequence) };
  const messageId = `retry:${stream}:${sequence}:${worker}:${after}`;
  const source = 'operator';
  return append(connection, 'lakehouse.rejected-retry', tokens, { stream, sequence, worker }, { messageId, source });
}

/**
 * Appends to the subject of a dead letter, unless what was said there last is about this retry, or a later one.
 * @returns whether it was appended
 */
async function settle(
  connection: RuntimeConnection,
  name: Said['type'],
  about: RejectionIdentity & Cause & { readonly retry: number },
  say: (before: Said | undefined) => Buffer,
): Promise<boolean> {
  const { stream, sequence, worker, retry, traceId, traceparent } = about;
  const subject = subjectOf(name, { stream, worker, sequence: String(sequence) });
  for (let conflicts = 0; conflicts < conflictsMax; conflicts++) {
    const newest = await readNewestEvent(connection, 'REJECTED', subject, conflicts > 0);
    const before = newest?.event.type === 'lakehouse.rejected-retry' ? undefined : newest?.event;
    if (before !== undefined && isAnswered(before, name, retry)) return false;
    const messageId = messageIdOf(name, about);
    try {
      await appendBytes(connection, subject, say(before), { messageId, traceId, traceparent }, newest?.sequence ?? 0);
      return true;
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error;
    }
  }
  throw new OutageError('unavailable', `${conflictsMax} writers in a row were faster on ${subject}`);
}

/** A rejection says nothing new behind anything of its retry; a resolution behind another resolution of it. */
function isAnswered(newest: Said, name: Said['type'], retry: number): boolean {
  if (newest.data.retry !== retry) return newest.data.retry > retry;
  return name === 'lakehouse.rejected' || newest.type === 'lakehouse.rejected-resolved';
}
