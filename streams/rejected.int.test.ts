import { describe, expect, it } from 'vitest';
import { decodeEvent } from '../schemas/decode.ts';
import { rejectedPayloadBytesMax } from '../schemas/events/rejected.ts';
import { appendBytes } from './append.ts';
import { nanos } from './durations.ts';
import { appendRejected, appendResolved, appendRetry } from './rejected.ts';
import { foldDeadLetters } from './rejections.ts';
import { eventually } from './testing/eventually.ts';
import { startTestLog, type TestLog } from './testing/test-log.ts';

const source = { stream: 'INGEST', sequence: 7, subject: 'ingest.workers', payload: Buffer.from('{'), attempts: 1 };
const rejection = { reason: 'bad_json', message: 'the payload is not JSON', version: 7 } as const;
const resolved = { stream: 'INGEST', sequence: 7, worker: 'ingest', appended: 1, detail: 'done' } as const;

/** Resolves when whatever was said before has left the duplicate window of REJECTED. */
async function windowPassed({ operator }: TestLog): Promise<void> {
  const { config } = await operator.manager.streams.info('REJECTED');
  await operator.manager.streams.update('REJECTED', { ...config, duplicate_window: nanos(100) });
  const probe = () => appendRetry(operator, { stream: 'INGEST', sequence: 1, worker: 'none' }, 1);
  await probe();
  await eventually('the window has passed', async () => !(await probe()).duplicate);
}

describe('setting aside', () => {
  it('says it once, also when the same message comes again long after the duplicate window', async () => {
    await using test = await startTestLog();
    const worker = await test.connectAs('ingest');
    await appendRejected(worker, 'ingest', source, rejection);
    await windowPassed(test);
    await appendRejected(worker, 'ingest', source, rejection);
    await appendRejected(worker, 'ingest', { ...source, sequence: 8 }, rejection);
    expect((await test.rejections()).map(({ sequence }) => sequence)).toEqual([7, 8]);
  });

  it('says it again for each retry that failed, counts the attempts, and settles each retry once', async () => {
    await using test = await startTestLog();
    const worker = await test.connectAs('ingest');
    const retried = { ...resolved, outcome: 'retried', retry: 5 } as const;
    await appendRejected(worker, 'ingest', source, rejection);
    await appendRejected(worker, 'ingest', { ...source, attempts: 2 }, rejection, 4);
    await appendRejected(worker, 'ingest', source, rejection, 4);
    await appendResolved(worker, retried);
    await appendResolved(worker, { ...retried, detail: 'again' });
    // The message comes from its stream once more, after all this: it took effect already.
    await appendRejected(worker, 'ingest', source, rejection);
    expect((await test.rejections()).map(({ attempts, retry }) => [attempts, retry])).toEqual([
      [1, 0],
      [3, 4],
    ]);
    const said = (await test.readAll('REJECTED')).map(({ payload }) => decodeEvent('REJECTED', payload));
    expect(said.at(-1)).toMatchObject({
      ok: true,
      event: { data: { outcome: 'retried', version: 7, detail: 'done' } },
    });
    expect(said).toHaveLength(3);
  });

  it('lets no worker ask for a retry: that is for the operator', async () => {
    await using test = await startTestLog();
    const worker = await test.server.connectAs('ingest');
    worker.publish('retries.INGEST.ingest.7', '{}');
    await worker.flush();
    expect(await test.readAll('REJECTED')).toEqual([]);
  });

  it('keeps a payload whole, and names where it lies where it is too long', async () => {
    await using test = await startTestLog();
    const bytes = (length: number) => ({ ...source, sequence: length, payload: Buffer.alloc(length, 'x') });
    await appendRejected(test.operator, 'ingest', bytes(rejectedPayloadBytesMax), rejection);
    await appendRejected(test.operator, 'ingest', bytes(rejectedPayloadBytesMax + 1), rejection);
    const [whole, long] = await test.rejections();
    expect(Buffer.from(whole?.payload_base64 ?? '', 'base64')).toHaveLength(rejectedPayloadBytesMax);
    expect(long).toMatchObject({ payload_base64: null, payload_bytes: rejectedPayloadBytesMax + 1 });
  });
});

describe('dead letters', () => {
  it('are folded the same twice, with what version 1 wrote among them', async () => {
    await using test = await startTestLog();
    const { operator } = test;
    const { version, ...said } = { ...rejection, ...source, worker: 'ingest' };
    const old = { ...said, version, payload: undefined, payload_base64: 'ew==', payload_cut: false };
    const envelope = {
      specversion: '1.0',
      id: 'x',
      source: 'urn:lakehouse:ingest-worker',
      type: 'lakehouse.rejected.v1',
    };
    const payload = Buffer.from(JSON.stringify({ ...envelope, data: old }));
    await appendBytes(operator, 'rejected.INGEST.ingest.7', payload, { messageId: 'old' });
    await appendRejected(operator, 'ingest', { ...source, sequence: 9 }, { ...rejection, reason: 'handler_failed' });
    await appendResolved(operator, { ...resolved, outcome: 'dropped', retry: 0 });

    const folds = [1, 2].map(() => foldDeadLetters(operator, 'test', test.log));
    await Promise.all(folds.map(({ projector }) => projector.caughtUp));
    const [first, second] = folds.map(({ letters }) => letters);
    expect(first?.all()).toEqual(second?.all());
    expect(first?.all()).toMatchObject([
      { id: 1, sequence: 7, state: 'dropped', detail: 'done' },
      { id: 2, sequence: 9, state: 'waiting' },
    ]);
    expect(first?.counts()).toMatchObject({ bad_json: { dropped: 1, waiting: 0 }, handler_failed: { waiting: 1 } });
    await Promise.all(folds.map(({ projector }) => projector.stop()));
  });
});
