import { describe, expect, it } from 'vitest';
import { ConflictError } from '../log-errors.ts';
import { createSimulatedLog, matches, type SimulatedMessage } from './simulated-log.ts';
import { createVirtualTime } from './virtual-time.ts';

const ackWaitMs = 30_000;
const delivery = {
  mode: 'reactor',
  stream: 'INGEST',
  ackWaitMs,
  ackPendingMax: 2,
  concurrency: 2,
  retryFirstMs: 1,
  retryMaxMs: 1,
  failedAttemptsMax: 1,
} as const;

function startLog() {
  const time = createVirtualTime();
  const wall = { skewMs: 0 };
  const log = createSimulatedLog({
    time,
    // Nothing that a consumer knows is ever written down.
    chance: () => 0.99,
    trace: () => {},
    wallMs: () => time.nowMs() + wall.skewMs,
  });
  const say = (messageId: string, subject = 'ingest.workers', lastSubjectSequence?: number) =>
    log.publish({ subject, messageId, payload: new Uint8Array([1]), headers: {}, lastSubjectSequence });
  const given: [sequence: number, deliveries: number][] = [];
  const take = () => {
    log.ensureConsumer({ durable: 'ingest', delivery });
    const give = ({ sequence }: SimulatedMessage, deliveries: number) => void given.push([sequence, deliveries]);
    return log.pull('INGEST', 'ingest', { hasRoom: () => true, give });
  };
  const pass = (milliseconds: number) => time.run(() => false, time.nowMs() + milliseconds);
  return { time, wall, log, say, given, take, pass };
}

describe('a log in memory', () => {
  it('takes a message id once within its window of the wall clock, also where that jumps back', async () => {
    const { say, wall, time, pass } = startLog();
    expect(say('a')).toEqual({ sequence: 1, duplicate: false });
    expect(say('a')).toEqual({ sequence: 1, duplicate: true });
    wall.skewMs = -86_400_000;
    time.after(700_000, () => {});
    await pass(700_000);
    expect(say('a')).toEqual({ sequence: 1, duplicate: true });
    wall.skewMs = 0;
    expect(say('a')).toEqual({ sequence: 2, duplicate: false });
  });

  it('takes a message only where its subject ends as expected', () => {
    const { say } = startLog();
    say('a', 'documents.c.x', 0);
    expect(() => say('b', 'documents.c.x', 0)).toThrow(ConflictError);
    expect(say('b', 'documents.c.x', 1)).toMatchObject({ sequence: 2 });
    expect(say('c', 'documents.c.y', 0)).toMatchObject({ sequence: 3 });
  });

  it('keeps the newest of a subject where the stream does, and forgets the ids of the others when it is killed', () => {
    const { say, log } = startLog();
    say('a', 'documents.c.x');
    say('b', 'documents.c.x');
    expect([log.message('DOCUMENTS', 1), log.message('DOCUMENTS', 2)?.messageId]).toEqual([undefined, 'b']);
    log.kill();
    log.start();
    expect(say('b', 'documents.c.x').duplicate).toBe(true);
    expect(say('a', 'documents.c.x')).toEqual({ sequence: 3, duplicate: false });
  });

  it('delivers again behind the ack wait, and no more at once than may be unacknowledged', async () => {
    const { say, log, given, take, pass } = startLog();
    for (const id of ['a', 'b', 'c']) say(id);
    take();
    expect(given).toEqual([
      [1, 1],
      [2, 1],
    ]);
    log.consumer('INGEST', 'ingest')?.ack(1);
    expect(given.slice(2)).toEqual([[3, 1]]);
    log.consumer('INGEST', 'ingest')?.nak(3, 10);
    await pass(20);
    expect(given.slice(3)).toEqual([[3, 2]]);
    await pass(ackWaitMs);
    expect(given.slice(4)).toEqual([
      [2, 2],
      [3, 3],
    ]);
  });

  it('killed, keeps its messages, and may bring back what was acknowledged', () => {
    const { say, log, given, take } = startLog();
    say('a');
    take();
    log.consumer('INGEST', 'ingest')?.ack(1);
    expect(log.consumer('INGEST', 'ingest')?.left()).toBe(0);
    log.kill();
    log.start();
    expect(log.message('INGEST', 1)?.messageId).toBe('a');
    expect(given).toEqual([
      [1, 1],
      [1, 1],
    ]);
  });
});

describe('virtual time', () => {
  it('passes at once, in order, and leaves out what was called off', async () => {
    const time = createVirtualTime();
    const seen: string[] = [];
    time.after(86_400_000, () => seen.push('a day'));
    time.after(5, () => seen.push('soon'));
    time.after(5, () => seen.push('soon too'));
    time.after(7, () => seen.push('never'))();
    expect(await time.run(() => false, Number.POSITIVE_INFINITY)).toBe('nothing left');
    expect([seen, time.nowMs()]).toEqual([['soon', 'soon too', 'a day'], 86_400_000]);
  });
});

describe('subjects', () => {
  it.each([
    ['a.*.c', 'a.b.c', true],
    ['a.*', 'a.b.c', false],
    ['a.>', 'a.b.c', true],
    ['a.b', 'a.c', false],
  ])('%s and %s: %s', (pattern, subject, expected) => expect(matches(pattern, subject)).toBe(expected));
});
