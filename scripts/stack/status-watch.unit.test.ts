import { describe, expect, it } from 'vitest';
import { createDeadLetters } from '../../streams/rejections.ts';
import type { StackStatus } from './status.ts';
import { statusRates } from './status-rates.ts';
import { watchStatus } from './status-watch.ts';

function look(lastSequence: number, pending: number, bytes = 100): StackStatus {
  return {
    ready: true,
    started_at: null,
    gateway_url: 'http://127.0.0.1:3110',
    nats_url: null,
    processes: [],
    streams: [
      {
        name: 'INGEST',
        messages: lastSequence,
        bytes,
        bytesMax: 1_000,
        firstSequence: 1,
        lastSequence,
        replication: null,
        consumers: [{ name: 'ingest', pending, ackPending: 0, delivered: 0, redelivered: 0, ackFloor: 0 }],
      },
    ],
    streams_missing: [],
    alarms: bytes >= 800 ? [{ stream: 'INGEST', bytes, bytesMax: 1_000 }] : [],
    log_failure: null,
    index: { failure: 'away' },
    embedder: { failure: 'away' },
    rejected: { answer: { sequence: 0, open: 0, by_reason: createDeadLetters().counts(), forgotten: 0 } },
  };
}

/** Watches what was looked at, two seconds apart, until there is no more of it. */
async function watched(
  given: readonly StackStatus[],
  output: { json?: boolean; isTTY?: boolean } = {},
): Promise<string> {
  const left = [...given];
  const written: string[] = [];
  let atMs = 0;
  await watchStatus({
    read: async () => left.shift() ?? look(0, 0),
    intervalMs: 2_000,
    looks: given.length,
    json: output.json ?? false,
    sink: { write: (text) => written.push(text), isTTY: output.isTTY },
    clock: {
      nowMs: () => atMs,
      monotonicMs: () => atMs,
      sleep: async (milliseconds) => {
        atMs += milliseconds;
      },
    },
    signal: new AbortController().signal,
  });
  return written.join('');
}

describe('statusRates', () => {
  it('is what was appended, and how what waits changed, a second', () => {
    const rates = statusRates(look(100, 50), look(300, 30), 2_000);
    expect(rates.appended.get('INGEST')).toBe(100);
    expect(rates.waiting.get('ingest')).toBe(-10);
  });

  it('tells no rate of a stream that was not there, or was made anew', () => {
    expect(statusRates({ ...look(1, 0), streams: [] }, look(9, 0), 1_000).appended.size).toBe(0);
    expect(statusRates(look(9, 0), look(1, 0), 1_000).appended.size).toBe(0);
  });
});

describe('watchStatus', () => {
  it('writes a line for each look where nobody draws', async () => {
    const lines = (await watched([look(100, 50), look(300, 30)])).trimEnd().split('\n');
    expect(lines).toEqual([
      '1970-01-01T00:00:00.000Z  ready, ingest 50 to do',
      '1970-01-01T00:00:02.000Z  ready, INGEST +100/s, ingest 30 to do',
    ]);
  });

  it('draws over a terminal, with rates from the second look on', async () => {
    const text = await watched([look(100, 50), look(300, 30)], { isTTY: true });
    expect(text.split('\u001b[H')).toHaveLength(3);
    expect(text.split('\u001b[2J')).toHaveLength(2);
    expect(text).toMatch(/INGEST .*\+100\/s/);
    expect(text).toMatch(/ingest .*-10\/s/);
  });

  it('writes a document for each look under --json, on a terminal too', async () => {
    const lines = (await watched([look(1, 0), look(2, 0)], { json: true, isTTY: true })).trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line).streams[0].lastSequence)).toEqual([1, 2]);
  });

  it('says in each line which stream is nearly full', async () => {
    expect(await watched([look(1, 0, 850)])).toContain('ALARM INGEST 85 % full');
  });

  it('ends when it is told to, without looking again', async () => {
    const ending = new AbortController();
    let looks = 0;
    const written: string[] = [];
    await watchStatus({
      read: async () => look(++looks, 0),
      intervalMs: 2_000,
      looks: undefined,
      json: false,
      sink: { write: (text) => written.push(text) },
      clock: { nowMs: () => 0, monotonicMs: () => 0, sleep: async () => ending.abort() },
      signal: ending.signal,
    });
    expect(looks).toBe(1);
    expect(written).toHaveLength(1);
  });
});
