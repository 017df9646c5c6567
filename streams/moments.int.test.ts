import { expect, it } from 'vitest';
import { appendBytes } from './append.ts';
import { consumerLag, lastSequenceBefore, storedAtMs } from './moments.ts';
import { startReactor } from './reactor.ts';
import { eventually } from './testing/eventually.ts';
import { startTestLog, type TestLog } from './testing/test-log.ts';

async function say(test: TestLog, messageId: string): Promise<number> {
  const payload = Buffer.from('{"id":"w-1","text":"welder"}');
  await appendBytes(test.operator, 'ingest.workers', payload, { messageId });
  const said = Date.now();
  await eventually('the clock has moved on', () => Date.now() > said + 2);
  return Date.now();
}

it('finds the last sequence before a moment', async () => {
  await using test = await startTestLog();
  const before = Date.now() - 1_000;
  expect(await lastSequenceBefore(test.operator, 'INGEST', Date.now())).toBe(0);
  const moments = [await say(test, '1'), await say(test, '2'), await say(test, '3')];
  const found = [];
  for (const moment of [before, ...moments]) found.push(await lastSequenceBefore(test.operator, 'INGEST', moment));
  expect(found).toEqual([0, 1, 2, 3]);
  const stored = (await storedAtMs(test.operator, 'INGEST', 2)) ?? 0;
  expect(stored).toBeGreaterThanOrEqual(moments[0] ?? 0);
  expect(stored).toBeLessThan(moments[1] ?? 0);
  expect(await storedAtMs(test.operator, 'INGEST', 4)).toBeUndefined();
});

it('tells how far a durable consumer is behind, and that there is none', async () => {
  await using test = await startTestLog();
  expect(await consumerLag(test.operator, 'INGEST', 'ingest')).toBeUndefined();
  const reactor = await startReactor({
    connection: await test.connectAs('ingest'),
    worker: 'ingest',
    log: test.log,
    handlers: {
      'lakehouse.ingest': () => ({ kind: 'skip', reason: 'nothing to do' }),
      'lakehouse.corpus-change': () => ({ kind: 'skip', reason: 'nothing to do' }),
    },
  });
  await reactor.stop(1_000);
  await say(test, '1');
  await say(test, '2');
  expect(await consumerLag(test.operator, 'INGEST', 'ingest')).toEqual({ pending: 2, ackPending: 0, redelivered: 0 });
});
