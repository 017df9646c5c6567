import type { FastifyInstance } from 'fastify';
import { afterEach, describe, expect, it } from 'vitest';
import { type Configuration, readConfiguration } from '../schemas/configuration.ts';
import { problem } from '../schemas/problems.ts';
import { systemClock } from '../streams/clock.ts';
import { connectLog, type LogConnection } from '../streams/connection.ts';
import { provisionStreams } from '../streams/provision.ts';
import { type ServiceHandler, startService } from '../streams/service.ts';
import { startTestServer, type TestServer } from '../streams/testing/test-server.ts';
import type { TopologyOptions } from '../streams/topology.ts';
import { createGateway } from './gateway.ts';

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

interface Stack {
  readonly server: TestServer;
  readonly operator: LogConnection;
  readonly app: FastifyInstance;
}

async function connectAs(server: TestServer, role: 'operator' | 'index'): Promise<LogConnection> {
  const { servers: url, user, pass: password } = server.optionsFor(role);
  const connection = await connectLog({ url, user, password, name: role, clock: systemClock });
  closing.push(() => connection.nats.close());
  return connection;
}

/** A real server with the declared streams, and a gateway with the gateway's own credentials. */
async function startStack(
  options: Partial<Configuration['gateway']> = {},
  streamBytes: TopologyOptions['streamBytes'] = {},
): Promise<Stack> {
  const server = await startTestServer();
  closing.push(async () => server[Symbol.asyncDispose]());
  const operator = await connectAs(server, 'operator');
  await provisionStreams(operator, { replicas: 1, streamBytes });
  const { servers: url, user, pass: password } = server.optionsFor('gateway');
  const configuration = readConfiguration({});
  const { app, close } = await createGateway(
    { ...configuration, gateway: { ...configuration.gateway, ...options } },
    { url, user, password, name: 'gateway', clock: systemClock },
    silent,
  );
  closing.push(close);
  return { server, operator, app };
}

async function serve({ server }: Stack, endpoints: Record<string, ServiceHandler>): Promise<void> {
  const connection = await connectAs(server, 'index');
  const about = { name: 'stand-in', version: '0.0.1', description: 'answers for a worker' };
  await startService({ ...about, connection, endpoints, log: silent, requestsWaitingMax: 100 });
  await connection.nats.flush();
}

function ingest({ app }: Stack, rows: unknown, headers: Record<string, string> = {}, query = '') {
  return app.inject({ method: 'POST', url: `/v1/ingest/workers${query}`, headers, body: JSON.stringify(rows) });
}

/** Every event of INGEST, in the order of the log. */
async function logged({ operator }: Stack): Promise<{ subject: string; text: string; trace: string | undefined }[]> {
  const { state } = await operator.manager.streams.info('INGEST');
  const sequences = Array.from({ length: state.messages }, (_, index) => state.first_seq + index);
  return Promise.all(
    sequences.map(async (seq) => {
      const { subject, data, header } = await operator.manager.streams.getMessage('INGEST', { seq });
      return { subject, text: Buffer.from(data).toString('utf8'), trace: header.get('X-Lakehouse-Trace-Id') };
    }),
  );
}

const documents = (count: number, text = 'x') => Array.from({ length: count }, (_, id) => ({ id: `w-${id}`, text }));
const search = { method: 'POST', url: '/v1/matrix/search', body: '{}' } as const;

describe('ingest into a real log', () => {
  it('appends rows in their order, each with the trace that brought it', async () => {
    const stack = await startStack();
    const rows = [...documents(600, 'first'), ...documents(50, 'second'), ...documents(50, 'third')];
    const response = await ingest(stack, rows, { 'x-lakehouse-trace-id': 'trace-of-mine' });
    expect(response.statusCode).toBe(202);
    expect(response.json()).toEqual({ accepted: 700, first_seq: 1, last_seq: 700 });
    const events = await logged(stack);
    expect(events.map(({ text }) => JSON.parse(text))).toEqual(rows);
    expect(new Set(events.map(({ subject, trace }) => `${subject} ${trace}`))).toEqual(
      new Set(['ingest.workers trace-of-mine']),
    );
  });

  it('answers the same sequences for the same Idempotency-Key, and keeps one of each', async () => {
    const stack = await startStack();
    const key = { 'idempotency-key': 'order-7' };
    const first = await ingest(stack, documents(20), key);
    const again = await ingest(stack, documents(20), key);
    const longer = await ingest(stack, documents(22), key);
    const without = await ingest(stack, documents(20));
    expect(first.json()).toEqual({ accepted: 20, first_seq: 1, last_seq: 20 });
    expect(again.json()).toEqual(first.json());
    expect(longer.json()).toEqual({ accepted: 22, first_seq: 1, last_seq: 22 });
    expect(without.json()).toEqual({ accepted: 20, first_seq: 23, last_seq: 42 });
    expect(await logged(stack)).toHaveLength(42);
  });

  it('keeps what a key brings when it is used again for something else', async () => {
    const stack = await startStack();
    const key = { 'idempotency-key': 'order-7' };
    await ingest(stack, [{ id: 'a', text: 'one' }], key);
    expect((await ingest(stack, [{ id: 'a', text: 'two' }], key)).json()).toMatchObject({ first_seq: 2 });
    expect((await logged(stack)).map(({ text }) => JSON.parse(text).text)).toEqual(['one', 'two']);
  });

  it('appends nothing of a request with a bad row', async () => {
    const stack = await startStack();
    const response = await ingest(stack, [...documents(500), { id: 'bad', text: '' }]);
    expect(response.json()).toMatchObject({ status: 400, row: 500, id: 'bad' });
    expect(await logged(stack)).toEqual([]);
  });

  it('answers 507 where the log is full, with what is in it', async () => {
    const stack = await startStack({}, { INGEST: 100_000 });
    const response = await ingest(stack, documents(100, 'x'.repeat(4_000)));
    expect(response.statusCode).toBe(507);
    const { code, accepted, first_seq, last_seq } = response.json();
    expect({ code, first_seq, last_seq }).toEqual({ code: 'store_full', first_seq: 1, last_seq: accepted });
    expect(accepted).toBeGreaterThan(0);
    expect(await logged(stack)).toHaveLength(accepted);
  });

  it('waits until documents are searchable, and says so when nobody is there to say it', async () => {
    const stack = await startStack();
    const alone = await ingest(stack, documents(2), {}, '?wait=searchable');
    expect(alone.json()).toMatchObject({ status: 503, code: 'unavailable', accepted: 2, first_seq: 1, last_seq: 2 });
    await serve(stack, {
      'svc.index.wait': ({ body }) => {
        const { items } = JSON.parse(Buffer.from(body).toString('utf8'));
        return { body: JSON.stringify({ searchable: items.length, rejected: [] }), position: { VECTORS: 11 } };
      },
    });
    const waited = await ingest(stack, documents(2), {}, '?wait=searchable');
    expect(waited.statusCode).toBe(200);
    expect(waited.json()).toMatchObject({ accepted: 2, first_seq: 3, last_seq: 4, searchable: 2, rejected: [] });
    expect(waited.headers['x-lakehouse-position']).toBe('VECTORS=11');
  });
});

describe('requests over the bus', () => {
  it('reach their service with trace and position, and come back byte for byte', async () => {
    const stack = await startStack();
    const body = '{"results" : [] , "é": 1}';
    const seen: unknown[] = [];
    await serve(stack, {
      'svc.matrix.search': ({ body: asked, position, traceId }) => {
        seen.push({ asked: Buffer.from(asked).toString('utf8'), position, traceId });
        return { body, position: { PLAYBOOKS: 4, VECTORS: 9 } };
      },
    });
    const headers = { 'x-lakehouse-trace-id': 't-1', 'x-lakehouse-position': 'VECTORS=7' };
    const response = await stack.app.inject({ ...search, headers });
    expect(response.body).toBe(body);
    expect(response.headers['x-lakehouse-position']).toBe('PLAYBOOKS=4,VECTORS=9');
    await stack.app.inject({ ...search, headers });
    expect(seen).toEqual([
      { asked: '{}', position: { VECTORS: 7 }, traceId: 't-1' },
      { asked: '{}', position: { PLAYBOOKS: 4, VECTORS: 9 }, traceId: 't-1' },
    ]);
  });

  it('are 503 where nobody answers and 504 where nobody does in time', async () => {
    const stack = await startStack({ searchDeadlineMs: 50 });
    const nobody = await stack.app.inject(search);
    expect(nobody.headers['retry-after']).toBe('1');
    expect(nobody.json()).toMatchObject({ status: 503, code: 'unavailable' });
    await serve(stack, { 'svc.matrix.search': () => new Promise(() => {}) });
    const late = await stack.app.inject(search);
    expect(late.headers['retry-after']).toBe('1');
    expect(late.json()).toMatchObject(problem('deadline_passed', expect.any(String)));
  });

  it('say that the gateway is ready, once JetStream and an index worker answer', async () => {
    const stack = await startStack();
    expect((await stack.app.inject('/readyz')).statusCode).toBe(503);
    const info = { worker: 'index-1', caught_up: true, position: {}, indexes: [], snapshot: null, memory_rss_bytes: 1 };
    await serve(stack, { 'svc.index.info': () => ({ body: JSON.stringify(info) }) });
    expect((await stack.app.inject('/readyz')).json()).toEqual({ status: 'ready' });
  });

  it('are observed', async () => {
    const stack = await startStack();
    await stack.app.inject(search);
    const newest = () =>
      stack.operator.manager.streams.getMessage('OBSERVATIONS', { last_by_subj: 'observations.gateway' });
    await expect
      .poll(
        () =>
          newest().then(
            ({ data }) => Buffer.from(data).toString('utf8'),
            () => '',
          ),
        { timeout: 5_000 },
      )
      .toContain('"endpoint":"POST /v1/matrix/search"');
  });
});

describe('while the server is away', () => {
  it('a request that waits for its answer is told at once, not at its deadline', async () => {
    const stack = await startStack({ searchDeadlineMs: 3_600_000 });
    let reached = () => {};
    const isAsked = new Promise<void>((resolve) => {
      reached = resolve;
    });
    await serve(stack, {
      'svc.matrix.search': () => {
        reached();
        return new Promise(() => {});
      },
    });
    const answered = stack.app.inject(search);
    await Promise.race([isAsked, answered]);
    await stack.server.kill9();
    expect((await answered).json()).toMatchObject({ status: 503, code: 'unavailable' });
  });

  it('everything is 503 with Retry-After but the gateway lives, and it resumes', async () => {
    const stack = await startStack();
    const { app, server } = stack;
    expect((await ingest(stack, documents(1))).statusCode).toBe(202);
    await server.kill9();
    await expect.poll(async () => (await app.inject(search)).statusCode, { timeout: 10_000 }).toBe(503);
    for (const response of [await app.inject(search), await ingest(stack, documents(3)), await app.inject('/readyz')]) {
      expect(response.statusCode).toBe(503);
      expect(response.headers['retry-after']).toBe('1');
      expect(response.json()).toMatchObject({ code: 'unavailable' });
    }
    expect((await app.inject('/healthz')).statusCode).toBe(200);
    await server.restart();
    await expect.poll(async () => (await ingest(stack, documents(1))).statusCode, { timeout: 10_000 }).toBe(202);
    await serve(stack, { 'svc.matrix.search': () => ({ body: '{}' }) });
    expect((await app.inject(search)).statusCode).toBe(200);
  });
});
