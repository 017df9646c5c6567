import { setTimeout as delay } from 'node:timers/promises';
import { createGatewayClient, type GatewayClient } from '../../gateway/client/client.ts';

/** Several gateways as one producer or searcher has them: where one fails, the next is asked. */
export interface Gateways {
  /** Sends a batch through the gateway that answered last, and leaves it to the sender to send it again. */
  readonly ingest: GatewayClient['ingest'];
  /** Searches again and again until it is stopped. */
  startSearches(corpus: string, vectorOf: (row: number) => Float32Array): Searches;
}

export interface SearchFindings {
  readonly answered: number;
  /** Searches that no gateway answered within `answerWithinMs`. */
  readonly unanswered: number;
  /** Answers that were asked for a second time, elsewhere. */
  readonly askedAgain: number;
  /** The longest time that one search took, from first asking to its answer. */
  readonly slowestMs: number;
  readonly firstFailure: string;
}

export interface Searches {
  stop(): Promise<SearchFindings>;
}

const pauseMs = 50;
const retryMs = 100;
/** One gateway is asked so long before the next one is. */
const askDeadlineMs = 2_000;
/** What a person would wait for, and more. */
export const answerWithinMs = 15_000;
const ingestDeadlineMs = 60_000;

export function createGateways(urls: readonly string[]): Gateways {
  const clientsWith = (deadlineMs: number) =>
    urls.map((url) => createGatewayClient({ url, token: undefined, deadlineMs }));
  const producing = clientsWith(ingestDeadlineMs);
  const searching = clientsWith(askDeadlineMs);
  let turn = 0;
  const clientAt = (clients: readonly GatewayClient[], at: number): GatewayClient => {
    const client = clients[at % clients.length];
    if (client === undefined) throw new Error('there is no gateway');
    return client;
  };
  return {
    ingest: async (...parameters) => {
      try {
        return await clientAt(producing, turn).ingest(...parameters);
      } catch (error) {
        turn++;
        throw error;
      }
    },
    startSearches: (corpus, vectorOf) => searchOn((at) => clientAt(searching, at), corpus, vectorOf),
  };
}

function searchOn(
  clientAt: (at: number) => GatewayClient,
  corpus: string,
  vectorOf: (row: number) => Float32Array,
): Searches {
  const found = { answered: 0, unanswered: 0, askedAgain: 0, slowestMs: 0, firstFailure: '' };
  let stopped = false;
  const searchOnce = async (row: number): Promise<void> => {
    const began = performance.now();
    for (let attempt = 0; performance.now() - began < answerWithinMs; attempt++) {
      try {
        await clientAt(row + attempt).search({ query_vector: [...vectorOf(row)], corpora: [corpus], k: 10 });
        found.answered++;
        found.slowestMs = Math.max(found.slowestMs, Math.round(performance.now() - began));
        return;
      } catch (error) {
        found.askedAgain++;
        if (found.firstFailure === '') found.firstFailure = String(error);
        await delay(retryMs);
      }
    }
    found.unanswered++;
  };
  const running = (async () => {
    for (let row = 0; !stopped; row++) {
      await searchOnce(row);
      await delay(pauseMs);
    }
  })();
  return {
    stop: async () => {
      stopped = true;
      await running;
      return found;
    },
  };
}
