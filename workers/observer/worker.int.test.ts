import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readConfiguration } from '../../schemas/configuration.ts';
import { observerEventReplySchema, observerStatsReplySchema } from '../../schemas/requests/observer.ts';
import { append, appendBytes, appendLine } from '../../streams/append.ts';
import { systemClock } from '../../streams/clock.ts';
import { connectLog, type LogConnection } from '../../streams/connection.ts';
import { nanos } from '../../streams/durations.ts';
import { createLogger } from '../../streams/logging.ts';
import { startObservations } from '../../streams/observations.ts';
import type { RunningWorker } from '../../streams/process.ts';
import { provisionStreams } from '../../streams/provision.ts';
import type { RoleName } from '../../streams/server/roles.ts';
import { createServiceClient } from '../../streams/service-client.ts';
import { readPayload, readStreamState } from '../../streams/stream-reader.ts';
import { startTestServer, type TestServer } from '../../streams/testing/test-server.ts';
import { operationFrom } from './operation.ts';
import { observerWorker } from './worker.ts';

const drainMs = 5_000;
const deadlineMs = 10_000;
const pollMs = 5;
const topologyOptions = { replicas: 1, streamBytes: { OBSERVATIONS: 64 * 1024 } };

let server: TestServer;
let connection: LogConnection;
let folder = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lakehouse-observer-'));
  await startServer();
});
afterEach(async () => {
  await connection.drain();
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

async function startServer(): Promise<void> {
  server = await startTestServer();
  connection = await connect('operator');
  await provisionStreams(connection, topologyOptions);
}

function connect(role: RoleName): Promise<LogConnection> {
  const { servers: url, user, pass: password } = server.optionsFor(role);
  return connectLog({ url, user, password, name: role, clock: systemClock });
}

/** A worker on a connection of its own, ready to answer; stopped as a process is. */
async function startWorker(): Promise<{ running: RunningWorker; stop: () => Promise<void> }> {
  const own = await connect('observer');
  const environment = { LAKEHOUSE_NATS_URL: server.url, LAKEHOUSE_DATA_DIR: folder };
  const running = await observerWorker.start({
    configuration: readConfiguration(environment),
    connection: own,
    log: createLogger('observer', 'silent'),
    observations: { report: () => {}, stop: async () => {} },
    instance: 'observer-test',
  });
  await expect.poll(() => running.notReady(), { timeout: deadlineMs, interval: pollMs }).toBeUndefined();
  return {
    running,
    stop: async () => {
      await running.stop(drainMs);
      await own.drain();
    },
  };
}

async function ask(
  subject: string,
  body: unknown = {},
  waitMs = deadlineMs,
): Promise<{ status: number; body: unknown }> {
  const client = createServiceClient(connection);
  const reply = await client.request(subject, Buffer.from(JSON.stringify(body)), { deadlineMs: waitMs });
  client.close();
  return { status: reply.status, body: JSON.parse(Buffer.from(reply.body).toString('utf8')) };
}

const stats = async () => observerStatsReplySchema.parse((await ask('svc.observer.stats')).body);

const fiveEvents = [
  { endpoint: '/fill', source: 'scenario', success: true, staffer_id: 's-1', event_kind: 'fill' },
  { endpoint: '/fill', source: 'scenario', ok: false },
  { endpoint: '/search' },
  { endpoint: '/search', source: '', success: false },
  { endpoint: '/search', duration_ms: 3 },
];
const fiveCounted = { total: 5, successes: 3, failures: 2, dropped: 0, by_source: { scenario: 2, mcp: 3 } };

describe('the observer', () => {
  it('counts an event before it answers, and has it still after a restart, with its files and without', async () => {
    const first = await startWorker();
    for (const [n, event] of fiveEvents.entries()) {
      const reply = await ask('svc.observer.event', event);
      expect(observerEventReplySchema.parse(reply.body)).toEqual({ accepted: true, ring_size: n + 1 });
    }
    const before = await stats();
    expect(before).toMatchObject(fiveCounted);
    expect(before.recent_scenario_ops).toMatchObject([{ staffer_id: 's-1', kind: 'fill' }, { success: false }]);
    expect((await ask('svc.observer.health')).body).toEqual({ status: 'ok', service: 'observer', ring_size: 5 });
    await first.stop();
    expect((await ask('svc.observer.stats')).status).toBe(503);

    const second = await startWorker();
    expect(await stats()).toEqual(before);
    await second.stop();

    await rm(join(folder, 'observer'), { recursive: true });
    const third = await startWorker();
    expect(await stats()).toEqual(before);
    await third.stop();
  });

  it('goes on from its checkpoint with what the stream still has', async () => {
    const first = await startWorker();
    for (const event of fiveEvents) await ask('svc.observer.event', event);
    await first.stop();
    const operation = { ...operationFrom({ endpoint: '/more' }, '2026-11-21T08:00:00.000Z'), error: 'x'.repeat(500) };
    for (let n = 0; n < 200; n++) {
      const data = { source: 'mcp', operations: [operation], dropped: 0 };
      await append(connection, 'lakehouse.observation', { source: 'mcp' }, data, {
        messageId: `m-${n}`,
        source: 'test',
      });
    }
    const { firstSequence, lastSequence } = await readStreamState(connection, 'OBSERVATIONS');
    expect(firstSequence).toBeGreaterThan(6);
    const second = await startWorker();
    expect(await stats()).toMatchObject({ total: 5 + lastSequence - firstSequence + 1 });
    await second.stop();
  });

  it('is ready when the stream has let everything go', async () => {
    const first = await startWorker();
    for (const event of fiveEvents) await ask('svc.observer.event', event);
    await first.stop();
    await rm(join(folder, 'observer'), { recursive: true });
    const { streams } = connection.manager;
    const { config } = await streams.info('OBSERVATIONS');
    await streams.update('OBSERVATIONS', { ...config, max_age: nanos(100), duplicate_window: nanos(100) });
    const left = async () => (await streams.info('OBSERVATIONS')).state.messages;
    await expect.poll(left, { timeout: deadlineMs, interval: pollMs }).toBe(0);
    const second = await startWorker();
    expect(await stats()).toMatchObject({ total: 0 });
    expect((await ask('svc.observer.event', { endpoint: '/more' })).status).toBe(200);
    expect(await stats()).toMatchObject({ total: 1 });
    await second.stop();
  });

  it('begins anew, and keeps the old checkpoint aside, when the log is another one', async () => {
    const first = await startWorker();
    for (const event of fiveEvents) await ask('svc.observer.event', event);
    await first.stop();
    await connection.drain();
    await server[Symbol.asyncDispose]();
    await startServer();
    const second = await startWorker();
    expect(await stats()).toMatchObject({ total: 0, by_source: {} });
    await second.stop();
    expect(await readdir(join(folder, 'observer'))).toEqual([expect.stringMatching(/^state\.json\.set-aside-/)]);
  });

  it('goes on where it was when the server was killed and came back', async () => {
    const worker = await startWorker();
    for (const event of fiveEvents) await ask('svc.observer.event', event);
    await server.kill9();
    await server.restart();
    // A request that was sent before the worker was back is lost: asked again soon.
    const posted = async () => (await ask('svc.observer.event', { endpoint: '/more' }, 500)).status;
    await expect.poll(posted, { timeout: 4 * deadlineMs, interval: pollMs }).toBe(200);
    const { lastSequence } = await readStreamState(connection, 'OBSERVATIONS');
    await expect.poll(stats, { timeout: deadlineMs, interval: pollMs }).toMatchObject({ total: lastSequence });
    await worker.stop();
    const again = await startWorker();
    expect(await stats()).toMatchObject({ total: lastSequence });
    await again.stop();
  });

  it('refuses an event without an endpoint or with a source that is no token, and keeps nothing of it', async () => {
    const worker = await startWorker();
    for (const wrong of [{ endpoint: '' }, { source: 'mcp' }, { endpoint: 'e', source: 'a.b' }, 'text', null])
      expect(await ask('svc.observer.event', wrong)).toMatchObject({ status: 400, body: { code: 'bad_request' } });
    expect((await readStreamState(connection, 'OBSERVATIONS')).lastSequence).toBe(0);
    expect(await stats()).toMatchObject({ total: 0 });
    await worker.stop();
  });

  it('counts what processes report, and goes on behind a message that it can not read', async () => {
    const worker = await startWorker();
    await appendBytes(connection, 'observations.mcp', Buffer.from('not json'), { messageId: 'poison' });
    const reporter = startObservations(connection, 'gateway');
    for (let n = 0; n < 200; n++)
      reporter.report({ endpoint: 'x'.repeat(n === 0 ? 5_000 : 5), success: n % 4 !== 0, duration_ms: n });
    await reporter.stop();
    await ask('svc.observer.event', { endpoint: '/last' });
    const counted = { total: 201, successes: 151, failures: 50, by_source: { gateway: 200, mcp: 1 } };
    await expect.poll(stats, { timeout: deadlineMs, interval: pollMs }).toMatchObject(counted);
    const rejected = Buffer.from((await readPayload(connection, 'REJECTED', 1)) ?? '').toString('utf8');
    expect(JSON.parse(rejected)).toMatchObject({ data: { stream: 'OBSERVATIONS', sequence: 1, reason: 'bad_json' } });
    await worker.stop();
  });

  it('writes the logs of audits and replays, rows of any schema as they are, and says what is no line', async () => {
    const rows = [
      '{"recorded_at":"2026-11-21T08:00:00Z","metrics":{"p":1}}',
      '{"unknown":"row"}\r',
      'not json',
      '\u0000',
    ];
    const worker = await startWorker();
    for (const [n, row] of rows.entries())
      await appendLine(connection, 'lakehouse.audit-baseline', Buffer.from(row), `audit-${n}`);
    await appendBytes(connection, 'replay.runs', Buffer.from('two\nlines'), { messageId: 'two' });
    await appendLine(connection, 'lakehouse.replay-run', Buffer.from('{"schema":"replay_run.v1"}'), 'run');
    const text = (file: string) => readFile(join(folder, '_kb', file), 'utf8');
    const audits = rows.map((row) => `${row}\n`).join('');
    const kept = { schema: 'payload_of_several_lines.v1', sequence: 1, payload_base64: 'dHdvCmxpbmVz' };
    const runs = `${JSON.stringify(kept)}\n{"schema":"replay_run.v1"}\n`;
    await expect.poll(() => text('audit_baselines.jsonl'), { timeout: deadlineMs, interval: pollMs }).toBe(audits);
    await expect.poll(() => text('replay_runs.jsonl'), { timeout: deadlineMs, interval: pollMs }).toBe(runs);
    expect((await readStreamState(connection, 'REJECTED')).lastSequence).toBe(1);
    expect(worker.running.notReady()).toBeUndefined();
    await worker.stop();
  });
});
