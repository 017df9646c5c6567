import { headers } from 'nats';
import { describe, expect, it } from 'vitest';
import { positionHeader } from '../schemas/position.ts';
import { ProblemError } from '../schemas/problems.ts';
import { OutageError } from './append.ts';
import { decodeFrames, encodeFrames } from './batch-frames.ts';
import type { LogConnection } from './connection.ts';
import { type ServiceHandler, startService } from './service.ts';
import { createServiceClient, type ServiceReply } from './service-client.ts';
import { eventually } from './testing/eventually.ts';
import { createGate } from './testing/gate.ts';
import { startTestLog, type TestLog } from './testing/test-log.ts';

const deadlineMs = 10_000;

/** Served as the embed worker and asked as the gateway: the permissions are the real ones. */
async function serve(
  test: TestLog,
  endpoints: Readonly<Record<string, ServiceHandler>>,
  requestsWaitingMax = 1_000,
  connection?: LogConnection,
) {
  const server = connection ?? (await test.connectAs('embed'));
  const options = { name: 'test', version: '1.0.0', description: 'answers tests', requestsWaitingMax };
  return startService({ connection: server, log: test.log, endpoints, ...options });
}

const text = (body: Uint8Array) => Buffer.from(body).toString('utf8');
const json = (reply: ServiceReply): unknown => JSON.parse(text(reply.body));
const bytes = (value: string) => Buffer.from(value, 'utf8');

const endpoints: Record<string, ServiceHandler> = {
  'svc.embed.echo': ({ body, position, traceId }) => ({
    body: JSON.stringify({ text: text(body), position, traceId: traceId ?? null }),
    position: { ...position, PLAYBOOKS: 7 },
  }),
  'svc.embed.later': async ({ body }) => {
    await new Promise((resolve) => setImmediate(resolve));
    return { body };
  },
  'svc.embed.missing': () => {
    throw new ProblemError('corpus_not_found', 'there is no corpus\n"workers"', { corpus: 'workers' });
  },
  'svc.embed.full': () => Promise.reject(new OutageError('store_full', 'the log is full')),
  'svc.embed.broken': () => Promise.reject(new Error('a secret of the inside')),
  'svc.embed.large': ({ body }) => ({ body: Buffer.alloc(Number(text(body))) }),
};

describe('a service', () => {
  it('answers a plain request and a gathered one alike', async () => {
    await using test = await startTestLog();
    const service = await serve(test, endpoints);
    const gateway = await test.connectAs('gateway');
    const client = createServiceClient(gateway);
    const sent = { [positionHeader]: 'VECTORS=12', 'X-Lakehouse-Trace-Id': 'trace-1' };
    const plainHeaders = headers();
    for (const [name, value] of Object.entries(sent)) plainHeaders.set(name, value);
    for (const subject of Object.keys(endpoints)) {
      const plain = await gateway.nats.request(subject, bytes('5'), { headers: plainHeaders, timeout: deadlineMs });
      const one = await client.request(subject, bytes('5'), { deadlineMs, headers: sent });
      const gathered = await client.request(subject, bytes('5'), { deadlineMs, headers: sent, gather: true });
      expect(gathered).toEqual(one);
      expect(text(one.body)).toBe(text(plain.data));
      const code = plain.headers?.get('Nats-Service-Error-Code') ?? '';
      expect(one.status).toBe(code === '' ? 200 : Number(code));
      for (const [name, value] of Object.entries(one.headers)) expect(plain.headers?.get(name)).toBe(value);
    }
    const echoed = await client.request('svc.embed.echo', bytes('ä'), { deadlineMs, headers: sent });
    expect(json(echoed)).toEqual({ text: 'ä', position: { VECTORS: 12 }, traceId: 'trace-1' });
    expect(echoed.headers).toEqual({ [positionHeader]: 'PLAYBOOKS=7,VECTORS=12' });
    client.close();
    await service.stop();
  });

  it('tells errors with their status, as problems, without what is inside', async () => {
    await using test = await startTestLog();
    const service = await serve(test, endpoints);
    const client = createServiceClient(await test.connectAs('gateway'));
    const ask = (name: string, options = {}) =>
      client.request(`svc.embed.${name}`, bytes('{}'), { deadlineMs, ...options });
    const missing = await ask('missing');
    expect([missing.status, json(missing)]).toMatchObject([502, { code: 'corpus_not_found', corpus: 'workers' }]);
    expect(missing.headers['Nats-Service-Error-Code']).toBe('502');
    expect(missing.headers['Nats-Service-Error']).toBe('there is no corpus "workers"');
    const full = await ask('full');
    expect([full.status, json(full)]).toMatchObject([507, { code: 'store_full' }]);
    const broken = await ask('broken');
    expect([broken.status, json(broken)]).toMatchObject([500, { code: 'internal' }]);
    expect(text(broken.body)).not.toContain('secret');
    const malformed = await ask('echo', { headers: { [positionHeader]: 'nonsense' } });
    expect([malformed.status, json(malformed)]).toMatchObject([400, { code: 'bad_request' }]);
    const headersTooLong = await ask('echo', { headers: { x: 'y'.repeat(70_000) } });
    expect(headersTooLong.status).toBe(400);
    client.close();
    await service.stop();
  });

  it('says 503 where nobody answers, and 504 at the deadline', async () => {
    await using test = await startTestLog();
    const gate = createGate();
    const client = createServiceClient(await test.connectAs('gateway'));
    const ask = (gather: boolean, ms: number) =>
      client.request('svc.embed.held', bytes('{}'), { deadlineMs: ms, gather });
    for (const gather of [false, true]) {
      const reply = await ask(gather, deadlineMs);
      expect([reply.status, json(reply)]).toMatchObject([503, { code: 'unavailable' }]);
    }
    const held: ServiceHandler = async () => {
      await gate.opened;
      return { body: '{}' };
    };
    const service = await serve(test, { 'svc.embed.held': held });
    for (const gather of [false, true]) {
      const reply = await ask(gather, 50);
      expect([reply.status, json(reply)]).toMatchObject([504, { code: 'deadline_passed' }]);
    }
    // The control: the same request is answered once nothing holds it.
    gate.open();
    expect((await ask(true, deadlineMs)).status).toBe(200);
    expect(client.waiting()).toBe(0);
    client.close();
    await service.stop();
  });

  it('does not let a slow request hold up fast ones behind it', async () => {
    await using test = await startTestLog();
    const gate = createGate();
    const service = await serve(test, {
      'svc.embed.mixed': async ({ body }) => {
        if (text(body) === 'slow') await gate.opened;
        return { body };
      },
    });
    const client = createServiceClient(await test.connectAs('gateway'));
    const ask = (what: string) => client.request('svc.embed.mixed', bytes(what), { deadlineMs, gather: true });
    const slow = Array.from({ length: 40 }, () => ask('slow'));
    const fast = await Promise.all(Array.from({ length: 100 }, (_, at) => ask(`fast ${at}`)));
    expect(fast.map((reply) => text(reply.body))).toEqual(fast.map((_, at) => `fast ${at}`));
    expect(client.waiting()).toBe(40);
    gate.open();
    expect((await Promise.all(slow)).map((reply) => text(reply.body))).toEqual(Array(40).fill('slow'));
    client.close();
    await service.stop();
  });

  it('says at once of a gathered message that all of it takes longer, and of no other', async () => {
    await using test = await startTestLog();
    const gate = createGate();
    const service = await serve(test, {
      'svc.embed.mixed': ({ body }) => (text(body) === 'slow' ? gate.opened.then(() => ({ body })) : { body }),
    });
    const gateway = await test.connectAs('gateway');
    const first = async (...bodies: string[]) => {
      const frames = bodies.map((body, at) => ({ correlation: at, status: 0, headers: '', body: bytes(body) }));
      const reply = await gateway.nats.request('svc.embed.mixed', encodeFrames(frames), { timeout: deadlineMs });
      return decodeFrames(reply.data)?.map(({ correlation }) => correlation);
    };
    expect(await first('slow', 'slow')).toEqual([]);
    expect(await first('slow', 'fast')).toEqual([1]);
    gate.open();
    await service.stop();
  });

  it('gives each of hundreds of requests its own answer, over two instances that share the work', async () => {
    await using test = await startTestLog();
    const served = [0, 0];
    const instance = (which: 0 | 1) =>
      serve(test, {
        'svc.embed.sized': ({ body }) => {
          served[which] = (served[which] ?? 0) + 1;
          const reply = { body: `${text(body)}:${'x'.repeat(Number(text(body)) % 700)}` };
          return Number(text(body)) % 3 === 0 ? Promise.resolve(reply) : reply;
        },
      });
    const services = await Promise.all([instance(0), instance(1)]);
    const client = createServiceClient(await test.connectAs('gateway'));
    const replies = await Promise.all(
      Array.from({ length: 800 }, (_, at) =>
        client.request('svc.embed.sized', bytes(String(at)), { deadlineMs, gather: at % 5 !== 0 }),
      ),
    );
    expect(replies.map((reply) => text(reply.body))).toEqual(replies.map((_, at) => `${at}:${'x'.repeat(at % 700)}`));
    expect(served[0]).toBeGreaterThan(0);
    expect(served[1]).toBeGreaterThan(0);
    expect((served[0] ?? 0) + (served[1] ?? 0)).toBe(800);
    client.close();
    await Promise.all(services.map((service) => service.stop()));
  });

  it('answers what it took when it is stopped, and takes no more', async () => {
    await using test = await startTestLog();
    const gate = createGate();
    const taken = createGate();
    const service = await serve(test, {
      'svc.embed.held': async ({ body }) => {
        taken.open();
        await gate.opened;
        return { body };
      },
    });
    const client = createServiceClient(await test.connectAs('gateway'));
    const asked = client.request('svc.embed.held', bytes('before'), { deadlineMs });
    await taken.opened;
    let stopped = false;
    const stopping = service.stop().then(() => {
      stopped = true;
    });
    await eventually('it has left the queue group', async () => {
      const late = await client.request('svc.embed.held', bytes('late'), { deadlineMs: 50 });
      return late.status === 503;
    });
    expect(stopped).toBe(false);
    gate.open();
    await stopping;
    expect(text((await asked).body)).toBe('before');
    client.close();
  });

  it('refuses more work than it is told to hold, and takes it again later', async () => {
    await using test = await startTestLog();
    const gate = createGate();
    const held: ServiceHandler = async ({ body }) => {
      await gate.opened;
      return { body };
    };
    const service = await serve(test, { 'svc.embed.held': held }, 10);
    const client = createServiceClient(await test.connectAs('gateway'));
    const ask = () => client.request('svc.embed.held', bytes('{}'), { deadlineMs });
    const replies = Array.from({ length: 25 }, ask);
    const refused: ServiceReply[] = [];
    for (const reply of replies) void reply.then((told) => told.status === 503 && refused.push(told));
    await eventually('15 of them are refused', () => refused.length === 15);
    expect(json(refused[0] ?? (await ask()))).toMatchObject({ code: 'overloaded' });
    gate.open();
    expect((await Promise.all(replies)).filter(({ status }) => status === 200)).toHaveLength(10);
    expect((await ask()).status).toBe(200);
    client.close();
    await service.stop();
  });

  it('survives an answer and a request that the bus does not take', async () => {
    await using test = await startTestLog();
    const service = await serve(test, endpoints);
    const gateway = await test.connectAs('gateway');
    const client = createServiceClient(gateway);
    const max = gateway.nats.info?.max_payload ?? 0;
    expect(max).toBeGreaterThan(0);
    const ask = (answerBytes: number) =>
      client.request('svc.embed.large', bytes(String(answerBytes)), { deadlineMs, gather: true });
    const replies = await Promise.all([ask(5), ask(max), ask(300_000), ask(max - 100_000), ask(7)]);
    expect(replies.map(({ status, body }) => (status === 200 ? body.length : status))).toEqual([
      5,
      500,
      300_000,
      max - 100_000,
      7,
    ]);
    const tooLarge = await client.request('svc.embed.echo', Buffer.alloc(max + 1), { deadlineMs });
    expect(tooLarge.status).toBe(413);
    client.close();
    await service.stop();
  });

  it('tells at once that the bus is away, before and while an answer is waited for, and resumes', async () => {
    await using test = await startTestLog();
    const taken = createGate();
    const gate = createGate();
    const service = await serve(test, {
      ...endpoints,
      'svc.embed.held': async ({ body }) => {
        taken.open();
        await gate.opened;
        return { body };
      },
    });
    const gateway = await test.connectAs('gateway');
    const client = createServiceClient(gateway);
    const underWay = client.request('svc.embed.held', bytes('{}'), { deadlineMs: 60_000 });
    await taken.opened;
    await test.server.kill9();
    expect((await underWay).status).toBe(503);
    await eventually('the loss was noticed', () => !gateway.isConnected());
    expect((await client.request('svc.embed.echo', bytes('x'), { deadlineMs: 60_000 })).status).toBe(503);
    await test.server.restart();
    await eventually('it is answered again', async () => {
      const reply = await client.request('svc.embed.echo', bytes('x'), { deadlineMs: 500 });
      return reply.status === 200;
    });
    gate.open();
    client.close();
    await service.stop();
  });
});
