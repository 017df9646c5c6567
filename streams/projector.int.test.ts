import { describe, expect, it } from 'vitest';
import type { VectorData } from '../schemas/events/document.ts';
import { append, appendBytes } from './append.ts';
import type { LogConnection } from './connection.ts';
import { nextSequence } from './ordered.ts';
import { type EventFoldOptions, type Projector, startProjector } from './projector.ts';
import { eventually } from './testing/eventually.ts';
import { createGate } from './testing/gate.ts';
import { startTestLog, type TestLog } from './testing/test-log.ts';

const space = 'mine@2';

async function say(connection: LogConnection, corpus: string, from: number, count: number): Promise<void> {
  const appends = Array.from({ length: count }, (_, at) => {
    const id = `w-${from + at}`;
    const data: VectorData = {
      corpus,
      id,
      space,
      content: { version: from + at, value: null },
      metadata: { version: 0, value: null },
    };
    const options = { messageId: `${corpus}:${id}`, source: 'test' };
    return () => append(connection, 'lakehouse.vector', { space, corpus, key: id }, data, options);
  });
  for (let at = 0; at < appends.length; at += 50) await Promise.all(appends.slice(at, at + 50).map((go) => go()));
}

interface Fold {
  readonly projector: Projector;
  /** `sequence:id`, in the order in which they were folded. */
  readonly folded: string[];
}

function startFold(
  test: TestLog,
  connection: LogConnection,
  options: Partial<EventFoldOptions<'VECTORS'>> = {},
  onEvent: (sequence: number) => void | Promise<void> = () => {},
): Fold {
  const folded: string[] = [];
  const projector = startProjector({
    connection,
    stream: 'VECTORS',
    worker: 'index',
    checkpoint: 0,
    log: test.log,
    handlers: {
      'lakehouse.vector': ({ data }, { sequence }) => {
        folded.push(`${sequence}:${data.id}`);
        return onEvent(sequence);
      },
      'lakehouse.vector-corpus': () => undefined,
    },
    ...options,
  });
  return { projector, folded };
}

const expected = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, at) => `${from + at}:w-${from + at}`);

describe('a projector', () => {
  it('folds every event in order, once, tells when it has caught up, and follows on', async () => {
    await using test = await startTestLog();
    const writer = await test.connectAs('embed');
    const reader = await test.connectAs('index');
    await say(writer, 'workers', 1, 300);
    const { projector, folded } = startFold(test, reader);
    expect(projector.isCaughtUp()).toBe(false);
    await projector.caughtUp;
    expect(projector.isCaughtUp()).toBe(true);
    expect(folded).toEqual(expected(1, 300));
    await say(writer, 'workers', 301, 20);
    await projector.progress.waitFor(320, AbortSignal.timeout(10_000));
    expect(folded).toEqual(expected(1, 320));

    // Twice folded is the same.
    const again = startFold(test, reader);
    await again.projector.caughtUp;
    expect(again.folded).toEqual(folded);
    await Promise.all([projector.stop(), again.projector.stop()]);
  });

  it('begins behind its checkpoint', async () => {
    await using test = await startTestLog();
    await say(await test.connectAs('embed'), 'workers', 1, 20);
    const reader = await test.connectAs('index');
    const behind = startFold(test, reader, { checkpoint: 15 });
    const atTheEnd = startFold(test, reader, { checkpoint: 20 });
    await Promise.all([behind.projector.caughtUp, atTheEnd.projector.caughtUp]);
    expect(behind.folded).toEqual(expected(16, 20));
    expect(atTheEnd.folded).toEqual([]);
    expect(atTheEnd.projector.progress.sequence()).toBe(20);
    await Promise.all([behind.projector.stop(), atTheEnd.projector.stop()]);
  });

  it('folds each event once though the server is stopped and killed, and goes on with what comes after', async () => {
    await using test = await startTestLog();
    const writer = await test.connectAs('embed');
    await say(writer, 'workers', 1, 400);
    const { projector, folded } = startFold(test, await test.connectAs('index'), {}, (sequence) =>
      sequence % 10 === 0 ? new Promise((resolve) => setImmediate(resolve)) : undefined,
    );
    await projector.progress.waitFor(50, AbortSignal.timeout(10_000));
    await test.server.kill9();
    await test.server.restart();
    await projector.progress.waitFor(400, AbortSignal.timeout(20_000));
    await test.server.stop();
    await test.server.restart();
    await say(writer, 'workers', 401, 20);
    await projector.progress.waitFor(420, AbortSignal.timeout(20_000));
    expect(folded).toEqual(expected(1, 420));
    await projector.stop();
  });

  it('asks the leader of a stream what is left of it, not whichever replica answers first', async () => {
    await using test = await startTestLog();
    await say(await test.connectAs('embed'), 'workers', 1, 5);
    const reader = await test.connectAs('index');
    // Replicas answer direct gets; where those are off, only the leader is left to ask.
    await test.operator.manager.streams.update('VECTORS', { allow_direct: false });
    const left = (sequence: number, subject?: string) => nextSequence(reader, 'VECTORS', sequence, subject);
    expect(await left(1)).toBe(1);
    expect(await left(5, 'vectors.*.workers.*')).toBe(5);
    expect(await left(1, 'vectors.*.others.*')).toBeUndefined();
    expect(await left(6)).toBeUndefined();
  });

  it('catches up with what was deleted out of a stream, at its beginning and at its end', async () => {
    await using test = await startTestLog();
    const writer = await test.connectAs('embed');
    const reader = await test.connectAs('index');
    const empty = startFold(test, reader);
    await empty.projector.caughtUp;
    await empty.projector.stop();
    // Roles can not delete; a stream that keeps the newest of each subject lets go of messages by itself.
    const { config } = await test.operator.manager.streams.info('VECTORS');
    await test.operator.manager.streams.update('VECTORS', { ...config, max_msgs_per_subject: 1 });
    for (const version of [1, 2, 3]) {
      const data = {
        corpus: 'workers',
        id: 'w',
        space,
        content: { version, value: null },
        metadata: { version: 0, value: null },
      };
      const options = { messageId: `w:${version}`, source: 'test' };
      await append(writer, 'lakehouse.vector', { space, corpus: 'workers', key: 'w' }, data, options);
    }
    const { projector, folded } = startFold(test, reader);
    await projector.caughtUp;
    expect(folded).toEqual(['3:w']);
    await projector.stop();
  });

  it('sets a poison event aside and folds the others; one that only looks sets nothing aside', async () => {
    await using test = await startTestLog();
    const writer = await test.connectAs('embed');
    const reader = await test.connectAs('index');
    await say(writer, 'workers', 1, 2);
    await appendBytes(writer, 'vectors.s.workers.x', Buffer.from('{"specversion":'), { messageId: 'poison' });
    await say(writer, 'workers', 4, 2);

    const looking = startFold(test, reader, { onlyLooks: true });
    await looking.projector.caughtUp;
    expect(looking.folded).toEqual([...expected(1, 2), ...expected(4, 5)]);
    expect(await test.rejections()).toEqual([]);

    const { projector, folded } = startFold(test, reader);
    await projector.caughtUp;
    expect(folded).toEqual(looking.folded);
    expect(await test.rejections()).toMatchObject([
      { stream: 'VECTORS', sequence: 3, worker: 'index', reason: 'bad_json', subject: 'vectors.s.workers.x' },
    ]);
    await Promise.all([looking.projector.stop(), projector.stop()]);
  });

  it('reads no further ahead of a slow handler than it may hold', async () => {
    await using test = await startTestLog();
    await say(await test.connectAs('embed'), 'workers', 1, 3_000);
    const reader = await test.connectAs('index');
    const goOn = createGate();
    const { projector, folded } = startFold(test, reader, {}, () => goOn.opened);
    const received = () => reader.nats.stats().inMsgs;
    await eventually('the buffer is full', () => received() >= 1_000);
    for (let trip = 0; trip < 20; trip++) await reader.nats.flush();
    // The buffer and a few answers of the server.
    expect(received()).toBeLessThan(1_100);
    expect(folded).toEqual(expected(1, 1));
    goOn.open();
    await projector.caughtUp;
    expect(folded).toEqual(expected(1, 3_000));
    await projector.stop();
  });

  it('goes on at the same event when its handler fails, and folds it in the end', async () => {
    await using test = await startTestLog();
    await say(await test.connectAs('embed'), 'workers', 1, 10);
    let failures = 2;
    const { projector, folded } = startFold(test, await test.connectAs('index'), {}, (sequence) => {
      if (sequence === 5 && failures-- > 0) throw new Error('not yet');
    });
    await projector.caughtUp;
    expect(folded).toEqual([...expected(1, 5), ...expected(5, 5), ...expected(5, 10)]);
    await projector.stop();
  });

  it('folds payloads as they are, without reading them', async () => {
    await using test = await startTestLog();
    const lines = ['{"a": 1}', 'not JSON', '  {"b":2}'];
    for (const line of lines)
      await appendBytes(test.operator, 'audit.baselines', Buffer.from(line), { messageId: line });
    const seen: string[] = [];
    const projector = startProjector({
      connection: await test.connectAs('observer'),
      stream: 'AUDIT_BASELINES',
      worker: 'observer',
      checkpoint: 0,
      log: test.log,
      onPayload: ({ payload, sequence }) => {
        seen.push(`${sequence} ${Buffer.from(payload).toString()}`);
      },
    });
    await projector.caughtUp;
    expect(seen).toEqual(lines.map((line, at) => `${at + 1} ${line}`));
    expect(await test.rejections()).toEqual([]);
    await projector.stop();
  });
});

describe('a projector with an end', () => {
  it.each([
    ['in the middle', 12, expected(1, 12)],
    ['at the last event', 30, expected(1, 30)],
    ['beyond the end', 1_000, expected(1, 30)],
    ['at the checkpoint', 0, []],
  ])('ends %s', async (_, until, events) => {
    await using test = await startTestLog();
    await say(await test.connectAs('embed'), 'workers', 1, 30);
    const { projector, folded } = startFold(test, await test.connectAs('index'), { until });
    await projector.finished;
    expect(folded).toEqual(events);
    expect(projector.progress.sequence()).toBe(Math.min(30, until));
    expect(projector.isCaughtUp()).toBe(true);
  });

  it('ends in an empty stream', async () => {
    await using test = await startTestLog();
    const { projector, folded } = startFold(test, await test.connectAs('index'), { until: 5 });
    await projector.finished;
    await projector.caughtUp;
    expect(folded).toEqual([]);
  });

  it('ends with a filter: where matches lie before, at and behind it, and where nothing matches', async () => {
    await using test = await startTestLog();
    const writer = await test.connectAs('embed');
    const reader = await test.connectAs('index');
    // Sequences 1 to 5 of one corpus, 6 to 10 of another, 11 to 15 of the first.
    await say(writer, 'workers', 1, 5);
    await say(writer, 'jobs', 6, 5);
    await say(writer, 'workers', 11, 5);
    const cases = [
      { corpus: 'workers', until: 3, events: expected(1, 3) },
      { corpus: 'workers', until: 8, events: expected(1, 5) },
      { corpus: 'workers', until: 99, events: [...expected(1, 5), ...expected(11, 15)] },
      { corpus: 'jobs', until: 4, events: [] },
      { corpus: 'jobs', until: 15, events: expected(6, 10) },
      { corpus: 'nobody', until: 15, events: [] },
    ];
    for (const { corpus, until, events } of cases) {
      const { projector, folded } = startFold(test, reader, { until, filterSubject: `vectors.*.${corpus}.*` });
      await projector.finished;
      expect({ corpus, until, folded }).toEqual({ corpus, until, folded: events });
      expect(projector.progress.sequence()).toBe(Math.min(15, until));
    }
  });

  it('lets timers run while it folds', async () => {
    await using test = await startTestLog();
    await say(await test.connectAs('embed'), 'workers', 1, 100);
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    const seen: number[] = [];
    const { projector } = startFold(test, await test.connectAs('index'), {
      until: 100,
      betweenEvents: () => {
        seen.push(ticks);
        return new Promise((resolve) => setTimeout(resolve, 1));
      },
    });
    await projector.finished;
    clearInterval(timer);
    expect(seen).toHaveLength(99);
    expect(seen.at(-1)).toBeGreaterThan(seen.at(0) ?? 0);
  });

  it('tells its position together with what it has folded: nobody sees the one without the other', async () => {
    await using test = await startTestLog();
    await say(await test.connectAs('embed'), 'workers', 1, 20);
    const seen: { folded: number; position: number }[] = [];
    const { projector, folded } = startFold(test, await test.connectAs('index'), { until: 20 }, () => {
      queueMicrotask(() => seen.push({ folded: folded.length, position: projector.progress.sequence() }));
    });
    await projector.finished;
    expect(seen).toEqual(Array.from({ length: 20 }, (_, at) => ({ folded: at + 1, position: at + 1 })));
  });

  it('folds nothing while it is held, and goes on behind it', async () => {
    await using test = await startTestLog();
    const writer = await test.connectAs('embed');
    await say(writer, 'workers', 1, 1);
    let hold: ReturnType<typeof createGate> | undefined;
    const asked = createGate();
    const { projector, folded } = startFold(test, await test.connectAs('index'), {
      held: () => {
        if (hold !== undefined) asked.open();
        return hold?.opened.then(() => undefined);
      },
    });
    await projector.caughtUp;
    hold = createGate();
    await say(writer, 'workers', 2, 3);
    await asked.opened;
    expect([folded.length, projector.progress.sequence()]).toEqual([1, 1]);
    const { open } = hold;
    hold = undefined;
    open(undefined);
    await projector.progress.waitFor(4, AbortSignal.timeout(10_000));
    expect(folded).toEqual(expected(1, 4));
  });

  it('stops in the middle, behind the event that it is at', async () => {
    await using test = await startTestLog();
    await say(await test.connectAs('embed'), 'workers', 1, 100);
    const atTen = createGate();
    const goOn = createGate();
    const { projector, folded } = startFold(test, await test.connectAs('index'), {}, (sequence) => {
      if (sequence !== 10) return;
      atTen.open();
      return goOn.opened;
    });
    await atTen.opened;
    const stopped = projector.stop();
    goOn.open();
    await stopped;
    await projector.finished;
    expect(folded).toEqual(expected(1, 10));
    expect(projector.progress.sequence()).toBe(10);
    await projector.caughtUp;
  });

  it('stops while the server is away', async () => {
    await using test = await startTestLog();
    await say(await test.connectAs('embed'), 'workers', 1, 1);
    const { projector } = startFold(test, await test.connectAs('index'));
    await projector.caughtUp;
    await test.server.kill9();
    await eventually('the fold noticed', () => test.logged.some(({ message }) => message.includes('interrupted')));
    await projector.stop();
    await projector.finished;
    expect(projector.progress.sequence()).toBe(1);
  });
});
