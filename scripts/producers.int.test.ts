import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../streams/testing/eventually.ts';
import { lakehouseScript } from './command/paths.ts';
import { exitCodes } from './exit-codes.ts';
import { startTestStack, type TestStack } from './testing/stack.ts';

let stack: TestStack;
beforeAll(async () => {
  stack = await startTestStack({ workers: ['ingest', 'embed', 'index'] });
});
afterAll(() => stack[Symbol.asyncDispose]());

const post = (path: string, type: string, body: string) =>
  fetch(`${stack.url}${path}`, { method: 'POST', headers: { 'content-type': type }, body });
const vector = [1, 0];
const space = 'mine@2';

describe('a stream of documents', () => {
  it('of CSV is found with its metadata as it was written', async () => {
    const csv = 'nr,resume,phone,years\n7,"Forklift, reach truck",0630555010,12\n8,Baker,+1 630,3\n';
    const answer = await post('/v1/ingest/sheet?id=nr&text=resume&types=years:number&wait=searchable', 'text/csv', csv);
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ accepted: 2, searchable: 2, refused: 0, rejected: [] });
    const found = await stack.client.search({ query_text: 'forklift', corpora: ['sheet'], k: 1 });
    expect(found.results).toMatchObject([{ id: '7', metadata: { phone: '0630555010', years: 12 } }]);
  });

  it('tells how far it has come while the embedder is away and when it is back, and what was rejected', async () => {
    const { client } = stack;
    await stack.stop('embed');
    const lines = Array.from({ length: 300 }, (_, id) => JSON.stringify({ id: `w-${id}`, vector, space })).join('\n');
    const answer = await post('/v1/ingest/lines', 'application/x-ndjson', lines);
    expect(answer.status).toBe(202);
    const { last_seq } = (await answer.json()) as { last_seq: number };
    const producer = await stack.server.connectAs('producer');
    producer.publish('ingest.lines', '{"id":');
    await producer.flush();
    await producer.close();
    await eventually('the rejection is told', async () => (await client.ingestStatus('lines')).rejected.count === 1);
    await eventually('the ingest worker is through', async () => {
      const { pending } = await client.ingestStatus('lines');
      return pending.ingest === 0 && pending.embed === 300;
    });
    const behind = await client.ingestStatus('lines');
    expect(behind).toMatchObject({
      accepted: { events: 301, last_seq: last_seq + 1 },
      rejected: { newest: { version: last_seq + 1, reason: 'bad_json' } },
      documents: 0,
    });
    expect(behind.searchable_seq ?? 0).toBeLessThanOrEqual(last_seq - 300);
    await stack.start('embed');
    await eventually('all of it can be found', async () => (await client.ingestStatus('lines')).lag === 0);
    expect(await client.ingestStatus('lines')).toMatchObject({
      documents: 300,
      embedded_seq: last_seq + 1,
      searchable_seq: last_seq + 1,
      pending: { ingest: 0, embed: 0, index: 0 },
    });
  });
});

describe('lakehouse ingest', () => {
  /** Passes requests on to the gateway; the answers to those behind `answered` are lost, and their number is told. */
  async function startLossyGateway(answered: number, onLost: () => void) {
    let requests = 0;
    const server = createServer(async (request, response) => {
      const body = await text(request);
      const headers = new Headers();
      for (const name of ['content-type', 'idempotency-key'])
        if (request.headers[name] !== undefined) headers.set(name, String(request.headers[name]));
      const answer = await fetch(`${stack.url}${request.url}`, { method: 'POST', headers, body });
      const told = await answer.text();
      if (++requests > answered) return onLost();
      response.writeHead(answer.status, { 'content-type': 'application/json' }).end(told);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const stop = () => {
      server.closeAllConnections();
      server.close();
    };
    return { url: `http://127.0.0.1:${port}`, stop };
  }

  it('is interrupted and run again: it goes on, and every document is there once', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'lakehouse-ingest-'));
    const file = join(directory, 'people.csv');
    const rows = Array.from({ length: 1_300 }, (_, row) => `p-${row},${row % 40},0${row}`);
    await writeFile(file, `id,years,phone\n${rows.join('\n')}\n`);
    const start = (gateway: string) => {
      const flags = ['--corpus', 'people', '--text=', '--types', 'years:number', '--json', '--data-dir', directory];
      const child = spawn(process.execPath, [lakehouseScript(), 'ingest', file, ...flags, '--gateway', gateway]);
      const ended = Promise.all([once(child, 'exit'), text(child.stdout), text(child.stderr)]);
      return { child, ended: ended.then(([[code], out, err]) => ({ code, out: JSON.parse(out), err })) };
    };
    let interrupt = () => {};
    const lossy = await startLossyGateway(1, () => interrupt());
    const first = start(lossy.url);
    interrupt = () => first.child.kill('SIGINT');
    const interrupted = await first.ended;
    lossy.stop();
    expect(interrupted).toMatchObject({
      code: exitCodes.interrupted,
      out: { error: { documents: 500, total: 1_300 } },
    });
    // The second batch is in the log, though its sender never learned of it.
    expect((await stack.client.ingestStatus('people')).accepted.events).toBe(1_000);
    const second = await start(stack.url).ended;
    expect(second).toMatchObject({ code: exitCodes.done, out: { accepted: 800 } });
    expect(second.err).toContain('500 of 1,300 documents were appended by an earlier run');
    const { accepted } = await stack.client.ingestStatus('people');
    expect(accepted.events).toBe(1_300);
    // Finished, it is a new run.
    expect(await start(stack.url).ended).toMatchObject({ out: { accepted: 1_300, first_seq: accepted.last_seq + 1 } });
    await eventually('all of it is known', async () => (await stack.client.ingestStatus('people')).lag === 0);
    expect(await stack.client.document('people', 'p-7')).toMatchObject({
      metadata: { value: { years: 7, phone: '07' } },
    });
    await rm(directory, { recursive: true });
  });
});

describe('a producer that speaks the protocol of NATS itself', () => {
  /** What `nats pub SUBJECT PAYLOAD` sends, by the client that it is made with (nats.go 1.x), and waits for. */
  async function natsPub(subject: string, payload: string): Promise<void> {
    const { hostname, port } = new URL(stack.server.url);
    const socket = connect(Number(port), hostname);
    let told = '';
    socket.setEncoding('utf8').on('data', (part) => {
      told += part;
    });
    const heard = (pattern: RegExp) => eventually(`the server says ${pattern}`, async () => pattern.test(told));
    await once(socket, 'connect');
    await heard(/^INFO .*\r\n/);
    const options = {
      verbose: false,
      pedantic: false,
      tls_required: false,
      name: 'NATS CLI Version 0.2.0',
      lang: 'go',
    };
    const about = { ...options, version: '1.39.0', protocol: 1, echo: true, headers: true, no_responders: true };
    socket.write(`CONNECT ${JSON.stringify(about)}\r\nPING\r\n`);
    await heard(/PONG\r\n/);
    socket.write(`PUB ${subject} ${Buffer.byteLength(payload)}\r\n${payload}\r\nPING\r\n`);
    await heard(/PONG\r\n.*PONG\r\n/s);
    socket.destroy();
    expect(told).not.toContain('-ERR');
  }

  it('is taken with plain JSON and with CloudEvents, without credentials on loopback', async () => {
    await natsPub('ingest.raw', '{"id":"w-9004","text":"Forklift operator, Zürich"}');
    const data = { id: 'w-9005', text: 'Packer' };
    await natsPub('ingest.raw', JSON.stringify({ specversion: '1.0', id: '1', source: '/crm', type: 'worker', data }));
    await eventually('both can be found', async () => {
      const { documents, lag } = await stack.client.ingestStatus('raw');
      return documents === 2 && lag === 0;
    });
  });
});
