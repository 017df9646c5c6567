import { describe, expect, it } from 'vitest';
import { idlePipeline, reply, testGateway } from '../app-fixtures.ts';
import type { PipelineState } from './pipeline.ts';
import { pipelineLimits } from './pipeline-watch.ts';

const behind = (pending: number): PipelineState => ({
  ...idlePipeline,
  embed: { lastSequence: pending, workedTo: 0, pending },
});
const document = '{"id":"a","text":"b"}';

/** A gateway whose clock moves when somebody sleeps, and whose pipeline is as the test says. */
function pressed(read: (nowMs: number) => PipelineState | Promise<PipelineState>) {
  let nowMs = 0;
  const clock = {
    nowMs: () => nowMs,
    monotonicMs: () => nowMs,
    sleep: async (milliseconds: number) => {
      nowMs += milliseconds;
      await new Promise(setImmediate);
    },
  };
  const gateway = testGateway({ dependencies: { clock, readPipeline: async () => read(nowMs) } });
  const send = (type = 'application/json') =>
    gateway.app.inject({
      method: 'POST',
      url: '/v1/ingest/workers',
      payload: document,
      headers: { 'content-type': type },
    });
  return { ...gateway, send, pass: (milliseconds: number) => void clock.sleep(milliseconds), now: () => nowMs };
}

describe('backpressure on producers', () => {
  it('tells them to come again while too much waits to be worked on, and takes them when it does not', async () => {
    let pending = 1_000;
    const gateway = pressed(() => behind(pending));
    await gateway.send();
    const late = await gateway.send();
    expect(late.statusCode).toBe(429);
    expect(late.headers['retry-after']).toBe(String(pipelineLimits.backlogRetrySeconds));
    expect(late.json()).toMatchObject({ code: 'rate_limited', backlog: 1_000 });
    pending = 999;
    gateway.pass(pipelineLimits.lookEveryMs);
    await gateway.send();
    expect((await gateway.send()).statusCode).toBe(202);
  });

  it('tells them to come again before a stream is full', async () => {
    const gateway = pressed(() => ({ ...idlePipeline, fullest: { stream: 'VECTORS', share: 0.96 } }));
    await gateway.send();
    const late = await gateway.send();
    expect(late.statusCode).toBe(503);
    expect(late.headers['retry-after']).toBe(String(pipelineLimits.fullRetrySeconds));
    expect(late.json().detail).toContain('LAKEHOUSE_STREAM_BYTES_VECTORS');
  });

  it('slows a stream until there is room', async () => {
    const gateway = pressed((nowMs) => behind(nowMs < 10_000 ? 5_000 : 10));
    await gateway.send();
    expect((await gateway.send('application/x-ndjson')).statusCode).toBe(202);
    expect(gateway.now()).toBe(10_000);
  });

  it('tells a stream where to go on when there is no room for long', async () => {
    const gateway = pressed(() => behind(5_000));
    await gateway.send();
    const told = await gateway.send('application/x-ndjson');
    expect(told.statusCode).toBe(429);
    expect(told.json()).toMatchObject({ next_line: 1, accepted: 0 });
    expect(gateway.now()).toBe(pipelineLimits.roomWaitMs);
  });

  it('lets go of a stream that waits for room when the gateway closes', async () => {
    let closed: Promise<unknown> | undefined;
    const gateway = pressed((nowMs) => {
      if (nowMs >= 3_000) closed ??= gateway.app.close();
      return behind(5_000);
    });
    await gateway.send();
    expect((await gateway.send('application/x-ndjson')).json()).toMatchObject({ code: 'rate_limited', next_line: 1 });
    expect(gateway.now()).toBeLessThan(10_000);
    await closed;
  });

  it('is not made up where the log can not be asked', async () => {
    const gateway = pressed(() => Promise.reject(new Error('away')));
    for (let time = 0; time < 3; time++) expect((await gateway.send()).statusCode).toBe(202);
  });
});

describe('GET /v1/ingest/<corpus>/status', () => {
  const ingested = (events: number, last_seq: number) => ({
    accepted: { events, last_seq, last_at: '2026-01-01T00:00:00.000Z' },
    rejected: { count: 1, newest: { version: 3, reason: 'bad_json', message: 'no' } },
    documents: 7,
  });

  it('tells how far it has come, and at which rate', async () => {
    let told = ingested(10, 40);
    let state: PipelineState = {
      ingest: { lastSequence: 50, workedTo: 30, pending: 20 },
      embed: { lastSequence: 30, workedTo: 30, pending: 0 },
      vectors: { lastSequence: 28, foldedTo: 28 },
      fullest: { stream: 'INGEST', share: 0 },
    };
    let nowMs = 0;
    const clock = { nowMs: () => nowMs, monotonicMs: () => nowMs, sleep: async () => undefined };
    const { app } = testGateway({
      dependencies: { clock, readPipeline: async () => state },
      answer: () => reply(200, told),
    });
    const first = (await app.inject('/v1/ingest/workers/status')).json();
    expect(first).toEqual({
      corpus: 'workers',
      ...told,
      embedded_seq: 30,
      searchable_seq: 30,
      lag: 10,
      pending: { ingest: 20, embed: 0, index: 0 },
      rate: null,
    });
    nowMs = 2_000;
    told = ingested(30, 60);
    state = {
      ingest: { lastSequence: 99, workedTo: 99, pending: 0 },
      embed: { lastSequence: 80, workedTo: 80, pending: 0 },
      vectors: { lastSequence: 70, foldedTo: 70 },
      fullest: { stream: 'INGEST', share: 0 },
    };
    expect((await app.inject('/v1/ingest/workers/status')).json()).toMatchObject({
      searchable_seq: 60,
      lag: 0,
      rate: { accepted_per_second: 10, searchable_per_second: 15, over_seconds: 2 },
    });
  });

  it('is a 503 while no index worker tells, and a 400 for what is no corpus', async () => {
    const { app } = testGateway({ answer: () => reply(503, {}) });
    expect((await app.inject('/v1/ingest/workers/status')).json()).toMatchObject({ code: 'unavailable' });
    expect((await app.inject('/v1/ingest/Workers/status')).statusCode).toBe(400);
  });
});
