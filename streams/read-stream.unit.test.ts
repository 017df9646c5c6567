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

interface Replica {
  readonly end: number;
  /** Sequences that it lacks. */
  readonly without?: readonly number[];
}

/** A log whose replicas hold less than its leader: each consumer reads from the next one of the list. */
function logBehind(lastSequence: number, replicas: readonly Replica[], deleted: readonly number[] = []) {
  const waitedMs: number[] = [];
  let opened = 0;
  const transport: Partial<LogTransport> = {
    streamExtent: async () => ({ createdAt: '', messages: lastSequence, bytes: 0, firstSequence: 1, lastSequence }),
    nextSequence: async (_, sequence) => {
      for (let at = sequence; at <= lastSequence; at++) if (!deleted.includes(at)) return at;
      return undefined;
    },
    openOrdered: async (_, { sequence = 1 }) => {
      const { end, without = [] } = replicas[Math.min(opened++, replicas.length - 1)] ?? { end: 0 };
      const held = Array.from({ length: Math.max(0, end - sequence + 1) }, (_, at) => sequence + at).filter(
        (at) => !without.includes(at) && !deleted.includes(at),
      );
      return {
        pendingAtStart: held.length,
        messages: (async function* () {
          for (const [at, seq] of held.entries()) yield delivered(seq, at + 1, held.length - at - 1);
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
    const { connection, opened, waitedMs } = logBehind(
      9,
      [0, 4, 4, 7, 9].map((end) => ({ end })),
    );
    expect(await sequencesOf(connection)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(opened()).toBe(5);
    expect(waitedMs.length).toBe(4);
  });

  it('leaves nothing out that a replica lacks in between and its leader has', async () => {
    const { connection, opened } = logBehind(9, [
      { end: 9, without: [1] },
      { end: 9, without: [4, 5] },
      { end: 9, without: [9] },
      { end: 9 },
    ]);
    expect(await sequencesOf(connection)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(opened()).toBe(4);
  });

  it('goes past what the leader does not have either', async () => {
    const { connection, opened } = logBehind(9, [{ end: 9 }], [1, 4, 5]);
    expect(await sequencesOf(connection)).toEqual([2, 3, 6, 7, 8, 9]);
    expect(opened()).toBe(1);
  });

  it('fails where a replica stays behind, and tells no less as if it were all', async () => {
    const { connection } = logBehind(9, [{ end: 4 }]);
    await expect(sequencesOf(connection)).rejects.toThrow('INGEST ends at 4 where it is read, and at 9');
  });
});
