import { describe, expect, it } from 'vitest';
import type { StreamName } from '../schemas/catalog.ts';
import type { StreamStatus } from './inspect.ts';
import { alarmSentence, streamAlarms } from './stream-watch.ts';

function filled(name: StreamName, bytes: number): StreamStatus {
  return {
    name,
    bytes,
    bytesMax: 1_000,
    messages: 1,
    firstSequence: 1,
    lastSequence: 1,
    replication: null,
    consumers: [],
  };
}

const alarming = (bytes: number, before: readonly StreamName[] = []) =>
  streamAlarms([filled('INGEST', bytes)], new Set(before)).map(({ stream }) => stream);

describe('streamAlarms', () => {
  it('alarms from 80 % of the byte limit on', () => {
    expect(alarming(799)).toEqual([]);
    expect(alarming(800)).toEqual(['INGEST']);
    expect(alarming(1_000)).toEqual(['INGEST']);
  });

  it('goes on until the stream has fallen below 75 %, so that a crossing is told once', () => {
    expect(alarming(799, ['INGEST'])).toEqual(['INGEST']);
    expect(alarming(750, ['INGEST'])).toEqual(['INGEST']);
    expect(alarming(749, ['INGEST'])).toEqual([]);
  });

  it('leaves windows alone, which are full as a rule, and streams without a limit', () => {
    expect(streamAlarms([filled('OBSERVATIONS', 999), filled('REJECTED', 999)])).toEqual([]);
    expect(streamAlarms([{ ...filled('INGEST', 999), bytesMax: -1 }])).toEqual([]);
  });

  it('looks at every stream that refuses when full', () => {
    const streams = (['DOCUMENTS', 'VECTORS', 'PLAYBOOKS', 'INDEXES', 'EVIDENCE'] as const).map((one) =>
      filled(one, 900),
    );
    expect(streamAlarms(streams)).toHaveLength(5);
  });

  it('says which, how full, and what to do', () => {
    const sentence = alarmSentence({ stream: 'VECTORS', bytes: 851, bytesMax: 1_000 });
    expect(sentence).toContain('VECTORS is 85 % full');
    expect(sentence).toContain('LAKEHOUSE_STREAM_BYTES_VECTORS');
  });
});
