import { describe, expect, it } from 'vitest';
import { createDeadLetters } from '../../streams/rejections.ts';
import type { StackStatus } from './status.ts';
import { statusText } from './status-text.ts';

const process = { health_url: 'http://127.0.0.1:1', log_file: '/data/logs/x.log' };
const status: StackStatus = {
  ready: false,
  started_at: '2026-11-21T04:00:00.000Z',
  gateway_url: 'http://127.0.0.1:3110',
  nats_url: 'nats://127.0.0.1:4222',
  processes: [
    { ...process, name: 'ingest', pid: 12, ready: true, reason: null, stalls: 2 },
    { ...process, name: 'index', pid: null, ready: false, reason: 'it does not run now', stalls: null },
  ],
  streams: [
    {
      name: 'INGEST',
      messages: 1_234_567,
      bytes: 3 * 1024 ** 3,
      bytesMax: 4 * 1024 ** 3,
      firstSequence: 1,
      lastSequence: 1_234_567,
      replication: null,
      consumers: [{ name: 'ingest', pending: 7, ackFloor: 0, ackPending: 3, delivered: 3, redelivered: 1 }],
    },
  ],
  streams_missing: ['VECTORS'],
  alarms: [{ stream: 'INGEST', bytes: 85, bytesMax: 100 }],
  log_failure: null,
  index: { failure: 'nobody answers svc.index.info' },
  embedder: {
    answer: {
      embedder: 'minilm',
      model: 'm',
      dimension: 384,
      space: 'm@384',
      hits: 1,
      misses: 2,
      hit_rate: 0.33,
      size: 2,
      beside: [],
    },
  },
  rejected: { answer: { sequence: 0, open: 0, by_reason: createDeadLetters().counts(), forgotten: 0 } },
};

describe('the status as text', () => {
  const lines = statusText(status).split('\n');
  const lineWith = (word: string) => lines.find((line) => line.startsWith(word))?.split(/\s{2,}/);

  it('begins with whether all is ready', () => {
    expect(lines[0]).toContain('NOT ready');
    expect(statusText({ ...status, ready: true })).toMatch(/^Ready/);
  });

  it('shows processes, and why one is not ready', () => {
    expect(lineWith('ingest ')).toEqual(['ingest', ' 12'.trim(), 'ready; 2 stalls, each taken up again']);
    expect(lineWith('index ')?.at(-1)).toBe('not ready: it does not run now');
  });

  it('shows where a stream of several nodes is led, and how many hold all of it', () => {
    const streams = status.streams.map((one) => ({
      ...one,
      replication: {
        leader: 'lakehouse-2',
        followers: [
          { name: 'lakehouse-1', current: true, offline: false },
          { name: 'lakehouse-3', current: false, offline: true },
        ],
      },
    }));
    expect(statusText({ ...status, streams })).toMatch(/^INGEST .* 75\.0 % +2 of 3, led by lakehouse-2$/m);
    const without = streams.map((one) => ({ ...one, replication: { ...one.replication, leader: null } }));
    expect(statusText({ ...status, streams: without })).toMatch(/1 of 3, NO LEADER$/m);
  });

  it('says which stream is nearly full, and what to do', () => {
    expect(statusText(status)).toMatch(/^ALARM: stream INGEST is 85 % full.*LAKEHOUSE_STREAM_BYTES_INGEST/m);
    expect(statusText({ ...status, alarms: [] })).not.toContain('ALARM');
  });

  it('shows how full a stream is, which are missing, and what waits', () => {
    expect(lineWith('INGEST')).toEqual(['INGEST', '1,234,567', '1,234,567', '3.0 GiB', '4.0 GiB', '75.0 %']);
    expect(lineWith('VECTORS')).toEqual(['VECTORS', 'missing']);
    const consumer = lines.at(lines.findIndex((line) => line.startsWith('consumer')) + 1)?.split(/\s{2,}/);
    expect(consumer).toEqual(['ingest', 'INGEST', '7', '3', '1']);
  });

  it('says what does not answer', () => {
    expect(lineWith('index: ')).toEqual(['index: does not answer: nobody answers svc.index.info']);
    expect(statusText({ ...status, log_failure: 'refused' })).toContain('log: does not answer: refused');
  });

  it('tells what is set aside and still open, by reason, and says nothing of what is settled', () => {
    expect(statusText(status)).not.toContain('set aside');
    const some = { ...createDeadLetters().counts() };
    const of = (waiting: number, retrying: number, dropped: number) => ({
      ...some.bad_json,
      waiting,
      retrying,
      dropped,
    });
    const by_reason = { ...some, bad_json: of(2, 1, 0), text_refused: of(0, 0, 5), handler_failed: of(1, 0, 0) };
    const text = statusText({ ...status, rejected: { answer: { sequence: 9, open: 4, by_reason, forgotten: 0 } } });
    expect(text).toContain('set aside: 3 bad_json, 1 handler_failed; see "lakehouse rejected list"');
  });

  it('shows the index by corpus', () => {
    const one = {
      corpus: 'workers',
      space: 'm@384',
      live: 200,
      tombstones: 1,
      graph: false,
      recall: null,
      filter_bytes: 0,
      side: null,
      serving: true,
    };
    const index = {
      worker: 'index',
      caught_up: true,
      position: {},
      snapshot: null,
      memory_rss_bytes: 1024,
      indexes: [
        { ...one, kind: 'documents' as const, rebuilt_by: null },
        { ...one, kind: 'documents' as const, side: 'tuesday', rebuilt_by: 'r' },
      ],
    };
    const text = statusText({ ...status, index: { answer: index } });
    const rows = text.split('\n').filter((line) => line.startsWith('workers'));
    expect(rows.map((row) => row.split(/\s{2,}/).at(-1))).toEqual(['live', 'tuesday']);
    expect(text).toContain('index: caught up, 1.0 KiB resident');
  });
});
