import { createHash } from 'node:crypto';
import { OutageError } from '../../streams/append.ts';
import type { GatewayDependencies } from '../dependencies.ts';
import { gatewayLimits } from '../limits.ts';
import { busAway } from '../replies.ts';
import type { IngestEvent } from './read-events.ts';

export interface AppendRequest {
  readonly corpus: string;
  readonly traceId: string;
  readonly traceparent: string | undefined;
  readonly idempotencyKey: string | undefined;
}

export interface AppendOutcome {
  /** The sequence of each event, undefined where it was not acknowledged. */
  readonly sequences: readonly (number | undefined)[];
  /** Why the rest was not appended. */
  readonly failure: unknown;
}

type AppendDependencies = Pick<GatewayDependencies, 'ingestLog' | 'isConnected' | 'newMessageId'>;

/**
 * Appends events in their order, many on their way at once, and waits for every acknowledgement. A window never holds
 * two events of one document: an append whose acknowledgement is lost is sent again, behind whatever the log took in
 * between, and must not be able to overtake what is said of the same document later. It ends with the first window that
 * is not acknowledged whole, for the same reason.
 */
export async function appendEvents(
  events: readonly IngestEvent[],
  request: AppendRequest,
  { ingestLog, isConnected, newMessageId }: AppendDependencies,
): Promise<AppendOutcome> {
  const { corpus, traceId, traceparent, idempotencyKey } = request;
  const sequences: (number | undefined)[] = events.map(() => undefined);
  for (let from = 0; from < events.length; ) {
    if (!isConnected()) return { sequences, failure: new OutageError('unavailable', busAway) };
    const to = windowEnd(events, from);
    const settled = await Promise.allSettled(
      events.slice(from, to).map(({ payload, row }, offset) => {
        const messageId =
          idempotencyKey === undefined
            ? newMessageId()
            : repeatableId(idempotencyKey, corpus, row ?? from + offset, payload);
        return ingestLog.append(corpus, payload, { messageId, traceId, traceparent });
      }),
    );
    let failed: PromiseRejectedResult | undefined;
    for (const [offset, result] of settled.entries()) {
      if (result.status === 'fulfilled') sequences[from + offset] = result.value.sequence;
      else failed ??= result;
    }
    if (failed !== undefined) return { sequences, failure: failed.reason };
    from = to;
  }
  return { sequences, failure: undefined };
}

function windowEnd(events: readonly IngestEvent[], from: number): number {
  const spokenOf = new Set<string>();
  let to = from;
  for (; to < events.length && to - from < gatewayLimits.publishWindowRows; to++) {
    const ids = events[to]?.ids ?? [];
    if (ids.some((id) => spokenOf.has(id))) break;
    for (const id of ids) spokenOf.add(id);
  }
  return to;
}

/** Enough that no two rows ever share an id by chance, and short: the server remembers every id of its window. */
const messageIdBytes = 16;

/**
 * The same request sent again has the same message ids, so the log keeps one of each. What the row says is part of it:
 * a key that is used again for something else must not make the log drop what it acknowledges.
 */
export function repeatableId(idempotencyKey: string, corpus: string, row: number, payload: Uint8Array): string {
  const cause = JSON.stringify([idempotencyKey, corpus, row]);
  const digest = createHash('sha256').update(`${cause}\n`, 'utf8').update(payload).digest();
  return digest.subarray(0, messageIdBytes).toString('base64url');
}
