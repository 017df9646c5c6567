import { setTimeout as delay } from 'node:timers/promises';
import type { GatewayClient } from '../../gateway/client/client.ts';
import { GatewayError } from '../../gateway/client/errors.ts';
import type { DocumentChangeInput } from '../../schemas/events/ingest.ts';

/** What the gateway acknowledged of one batch: each of its events is at one of these sequences of INGEST, in order. */
export interface Acknowledged {
  readonly corpus: string;
  readonly ids: readonly string[];
  readonly firstSequence: number;
  readonly lastSequence: number;
}

/** A producer as it should be: a key for each batch, sent again under the same key until it is acknowledged. */
export interface Producer {
  /** @throws Error where a batch is refused for good, or not acknowledged in time */
  send(changes: readonly DocumentChangeInput[]): Promise<void>;
  readonly acknowledged: readonly Acknowledged[];
  /** Documents acknowledged so far. */
  readonly documents: () => number;
  /** Requests that were sent again. */
  readonly retries: () => number;
  /** Statuses of the answers that were not an acknowledgement (0: none came), and how often. */
  readonly refusals: ReadonlyMap<number, number>;
}

export interface ProducerOptions {
  readonly client: Pick<GatewayClient, 'ingest'>;
  readonly corpus: string;
  /** Begins the keys: two producers must not share them. */
  readonly name: string;
  readonly batch?: number;
  /** Between two batches. */
  readonly pauseMs?: number;
}

const retryMs = 100;
const acknowledgeDeadlineMs = 180_000;
const callDeadlineMs = 15_000;

export function createProducer({ client, corpus, name, batch = 250, pauseMs = 0 }: ProducerOptions): Producer {
  const acknowledged: Acknowledged[] = [];
  const refusals = new Map<number, number>();
  let [documents, retries, batches] = [0, 0, 0];
  const sendOne = async (part: readonly DocumentChangeInput[]) => {
    const idempotencyKey = `${name}-${batches++}`;
    const deadline = performance.now() + acknowledgeDeadlineMs;
    for (;;) {
      try {
        const { first_seq: firstSequence, last_seq: lastSequence } = await client.ingest(corpus, part, {
          idempotencyKey,
          deadlineMs: callDeadlineMs,
        });
        acknowledged.push({ corpus, ids: part.map(({ id }) => id), firstSequence, lastSequence });
        documents += part.length;
        return;
      } catch (error) {
        const status = error instanceof GatewayError ? error.problem.status : 0;
        refusals.set(status, (refusals.get(status) ?? 0) + 1);
        const isForGood = status >= 400 && status < 500 && status !== 429;
        if (isForGood || performance.now() > deadline) throw error;
        retries++;
        await delay(retryMs);
      }
    }
  };
  return {
    send: async (changes) => {
      for (let from = 0; from < changes.length; from += batch) {
        await sendOne(changes.slice(from, from + batch));
        if (pauseMs > 0) await delay(pauseMs);
      }
    },
    acknowledged,
    documents: () => documents,
    retries: () => retries,
    refusals,
  };
}
