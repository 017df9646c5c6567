import { decodeEvent } from '../../../schemas/decode.ts';
import type { LogConnection } from '../../../streams/connection.ts';
import { readStream } from '../../../streams/read-stream.ts';
import { tokenAt } from '../../../streams/subjects.ts';
import type { Check } from '../fault-row.ts';
import type { Acknowledged } from '../producer.ts';
import { check } from './check.ts';

export interface AcknowledgedFindings {
  readonly checks: readonly Check[];
  /** Events that were acknowledged and are not where they were said to be. */
  readonly lost: number;
  /** Message ids that the stream holds more than once. */
  readonly doubled: number;
}

/**
 * L: every acknowledged event is in INGEST exactly once. The gateway's answer names the sequences of a batch: there its
 * documents have to lie, each in an event of its own (in which order is not said: what was refused of a batch and sent again
 * comes behind what was not); and no message id is in the stream twice. For corpora that
 * one producer at a time writes to.
 */
export async function checkAcknowledged(
  connection: LogConnection,
  acknowledged: readonly Acknowledged[],
): Promise<AcknowledgedFindings> {
  const idsAt = new Map<number, string>();
  const messageIds = new Set<string>();
  let doubled = 0;
  for await (const { sequence, subject, payload, messageId } of readStream(connection, 'INGEST')) {
    if (messageId !== '' && messageIds.has(messageId)) doubled++;
    messageIds.add(messageId);
    const decoded = decodeEvent('INGEST', payload, subject);
    if (!decoded.ok || decoded.event.type !== 'lakehouse.ingest') continue;
    for (const { id } of decoded.event.data.items) idsAt.set(sequence, `${tokenAt(subject, 1)}/${id}`);
  }
  let lost = 0;
  let extra = 0;
  let events = 0;
  let first = '';
  for (const { corpus, ids, firstSequence, lastSequence } of acknowledged) {
    events += ids.length;
    const found: string[] = [];
    for (let at = firstSequence; at <= lastSequence; at++) {
      const there = idsAt.get(at);
      if (there?.startsWith(`${corpus}/`) === true) found.push(there);
    }
    const left = new Map<string, number>();
    for (const one of found) left.set(one, (left.get(one) ?? 0) + 1);
    const missing = ids.filter((id) => {
      const times = left.get(`${corpus}/${id}`) ?? 0;
      left.set(`${corpus}/${id}`, times - 1);
      return times <= 0;
    });
    lost += missing.length;
    extra += Math.max(0, found.length - ids.length);
    if (missing.length > 0 && first === '')
      first = `; first ${corpus}/${missing[0]} of INGEST ${firstSequence} to ${lastSequence}`;
  }
  return {
    lost,
    doubled,
    checks: [
      check(
        'L: every acknowledged event is in its stream',
        events > 0 && lost === 0,
        `${lost} of ${events} missing${first}`,
      ),
      check(
        'L: and there exactly once',
        doubled === 0 && extra === 0,
        `${doubled} message ids twice, ${extra} events too many`,
      ),
    ],
  };
}
