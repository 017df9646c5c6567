import type { ReactorDelivery } from '../schemas/catalog.ts';
import { decodeEvent } from '../schemas/decode.ts';
import type { RejectedRetryData } from '../schemas/events/rejected.ts';
import type { ReactorName, ReactorOptions } from './reactor.ts';
import { appendRejected, appendResolved } from './rejected.ts';
import { readMessage } from './stream-reader.ts';
import type { ConsumerDeclaration } from './transport.ts';
import type { OpenTask } from './work.ts';

/** Retries are few, and must not take the place of what is new. */
const retryConcurrency = 8;

/** The durable consumer of what an operator asked a reactor to take again. */
export function retryConsumer(worker: ReactorName, delivery: ReactorDelivery): ConsumerDeclaration {
  return {
    durable: `${worker}-retries`,
    delivery: { ...delivery, stream: 'REJECTED', concurrency: Math.min(retryConcurrency, delivery.concurrency) },
    filterSubject: `retries.${delivery.stream}.${worker}.*`,
  };
}

/**
 * Retries, as tasks: the handler is given the message that lies in its stream, under the sequence that it has there. So
 * its version is the one that it always had, and a document that was said anew in the meantime stays as it is; appending
 * the message again would make an old word the newest. What became of it is said in REJECTED before the retry is acked.
 */
export function retryTasks<Worker extends ReactorName>(
  { connection, worker, log }: ReactorOptions<Worker>,
  { stream }: ReactorDelivery,
): OpenTask {
  return async (retry) => {
    const asked = retryOf(retry.data);
    if (asked?.stream !== stream || asked.worker !== worker) {
      log.warn({ sequence: retry.seq }, 'a retry can not be read, or is meant for another worker; it is left alone');
      retry.term();
      return undefined;
    }
    const { sequence } = asked;
    const resolved = { stream, sequence, worker, retry: retry.seq };
    const message = await readMessage(connection, stream, sequence);
    if (message === undefined) {
      const detail = `${stream} has a newer state in place of ${sequence}`;
      await appendResolved(connection, { ...resolved, outcome: 'superseded', appended: 0, detail });
      retry.ack();
      return undefined;
    }
    const { subject, payload } = message;
    const attempt = retry.info.redeliveryCount;
    return {
      sequence,
      message,
      attempt,
      done: async (appended) => {
        const detail = appended === 0 ? 'nothing of it is newer than what is there' : `${appended} events appended`;
        await appendResolved(connection, { ...resolved, outcome: 'retried', appended, detail });
        retry.ack();
      },
      reject: async (rejection, cause) => {
        const source = { stream, sequence, subject, payload, attempts: attempt, ...cause };
        await appendRejected(connection, worker, source, rejection, retry.seq);
        retry.term();
      },
    };
  };
}

function retryOf(payload: Uint8Array): RejectedRetryData | undefined {
  const decoded = decodeEvent('REJECTED', payload);
  return decoded.ok && decoded.event.type === 'lakehouse.rejected-retry' ? decoded.event.data : undefined;
}
