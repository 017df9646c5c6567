import { describe, expect, it } from 'vitest';
import { systemClock } from './clock.ts';
import { readStream } from './read-stream.ts';
import { quietTelemetry } from './telemetry/telemetry.ts';
import type { DeliveredMessage, LogTransport, RuntimeConnection } from './transport.ts';

function delivered(seq: number, deliverySequence: number, pending: number): DeliveredMessage {
  const nothing = () => {};
  return {
    seq,
    subject: 'ingest.workers',
    data: Buffer.from(String(seq)),
    info: { redeliveryCount: 1, deliverySequence, pending, timestampNanos: 0 },
    ack: nothing,
    nak: nothing,
    term: nothing,
    working: nothing,
  };
}

/** A log whose replicas hold less than its leader: each consumer reads from one that ends where the list says. */
function logBehind(lastSequence: number, replicaEnds: readonly number[]) {
  const waitedMs: number[] = [];
  let opened = 0;
  const transport: Partial<LogTransport> = {
    streamExtent: async () => ({ createdAt: '', messages: lastSequence, bytes: 0, firstSequence: 1, lastSequence }),
    nextSequence: async (_, sequence) => (sequence <= lastSequence ? sequence : undefined),
    openOrdered: async (_, { sequence = 1 }) => {
      const end = replicaEnds[Math.min(opened++, replicaEnds.length - 1)] ?? 0;
      const count = Math.max(0, end - sequence + 1);
      return {
        pendingAtStart: count,
        messages: (async function* () {
          for (let at = 0; at < count; at++) yield delivered(sequence + at, at + 1, count - at - 1);
        })(),
        stop: () => {},
        release: () => {},
      };
    },
  };
  const connection: RuntimeConnection = {
    transport: transport as LogTransport,
    clock: { ...systemClock, sleep: async (milliseconds) => void waitedMs.push(milliseconds) },
    telemetry: quietTelemetry(),
    isConnected: () => true,
    isClosed: () => false,
    watch: () => () => {},
  };
  return { connection, opened: () => opened, waitedMs };
}

async function sequencesOf(connection: RuntimeConnection): Promise<number[]> {
  const read: number[] = [];
  for await (const { sequence } of readStream(connection, 'INGEST')) read.push(sequence);
  return read;
}

describe('reading what a stream holds', () => {
  it('goes on behind the end of a replica that is behind its leader', async () => {
    const { connection, opened, waitedMs } = logBehind(9, [0, 4, 4, 7, 9]);
    expect(await sequencesOf(connection)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(opened()).toBe(5);
    expect(waitedMs.length).toBe(4);
  });

  it('fails where a replica stays behind, and tells no less as if it were all', async () => {
    const { connection } = logBehind(9, [4]);
    await expect(sequencesOf(connection)).rejects.toThrow('INGEST ends at 4 where it is read, and at 9');
  });
});
