import { setTimeout as delay } from 'node:timers/promises';
import { parsePosition, positionHeader } from '../../schemas/position.ts';
import type { LogConnection } from '../../streams/connection.ts';
import { inspectStream } from '../../streams/inspect.ts';
import type { ServiceClient } from '../../streams/service-client.ts';
import { readResident } from '../bench/memory-parts.ts';

/** How far each stage is, as counts of messages. */
export interface StageCounts {
  /** Lines in INGEST. */
  readonly appended: number;
  readonly ingestPending: number;
  readonly documents: number;
  readonly embedPending: number;
  readonly vectors: number;
  readonly folded: number;
}

export interface Sample extends StageCounts {
  readonly atMs: number;
  /** Resident bytes by process. */
  readonly resident: Readonly<Record<string, number>>;
}

export interface Watch {
  readonly samples: readonly Sample[];
  /** Resolves with the first sample that it is true of. */
  until(isSo: (sample: Sample) => boolean, deadlineMs: number): Promise<Sample>;
  stop(): Promise<void>;
}

const everyMs = 250;
const noBody = new Uint8Array();

/** Looks at memory and progress a few times a second. */
export function startWatch(
  connection: LogConnection,
  client: ServiceClient,
  pids: Readonly<Record<string, number>>,
): Watch {
  const began = performance.now();
  const samples: Sample[] = [];
  const stopping = new AbortController();
  const running = (async () => {
    while (!stopping.signal.aborted) {
      const counts = await countStages(connection, client);
      const resident = await Promise.all(
        Object.entries(pids).map(async ([name, pid]) => [name, (await readResident(pid)).rss] as const),
      );
      samples.push({ atMs: performance.now() - began, ...counts, resident: Object.fromEntries(resident) });
      await delay(everyMs, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  })();
  return {
    samples,
    until: async (isSo, deadlineMs) => {
      const deadline = AbortSignal.timeout(deadlineMs);
      for (let seen = 0; ; ) {
        for (; seen < samples.length; seen++) {
          const sample = samples[seen];
          if (sample !== undefined && isSo(sample)) return sample;
        }
        if (deadline.aborted)
          throw new Error(`not so within ${deadlineMs} ms; last: ${JSON.stringify(samples.at(-1))}`);
        await Promise.race([delay(everyMs), running]);
      }
    },
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
}

/** From front to back: a later stage is not read before an earlier one. */
async function countStages(connection: LogConnection, client: ServiceClient): Promise<StageCounts> {
  const ingest = await inspectStream(connection, 'INGEST');
  const documents = await inspectStream(connection, 'DOCUMENTS');
  const vectors = await inspectStream(connection, 'VECTORS');
  const reply = await client.request('svc.index.info', noBody, { deadlineMs: 10_000 });
  const pendingOf = (stage: typeof ingest) =>
    stage?.consumers.reduce((sum, { pending, ackPending }) => sum + pending + ackPending, 0) ?? 0;
  return {
    appended: ingest?.lastSequence ?? 0,
    ingestPending: pendingOf(ingest),
    documents: documents?.lastSequence ?? 0,
    embedPending: pendingOf(documents),
    vectors: vectors?.lastSequence ?? 0,
    folded: parsePosition(reply.headers[positionHeader] ?? '')?.VECTORS ?? 0,
  };
}
