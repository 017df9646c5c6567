import { once } from 'node:events';
import { request } from 'node:http';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { linesNamedMax } from '../../schemas/requests/ingest.ts';
import { OutageError } from '../../streams/append.ts';
import { reply, type TestGateway, type TestGatewayOptions, testGateway } from '../app-fixtures.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

const ndjson = 'application/x-ndjson';
const csv = 'text/csv; charset=utf-8';

interface Sent {
  readonly type?: string;
  readonly query?: string;
  readonly headers?: Record<string, string>;
  /** The body comes in chunks of so many bytes. */
  readonly chunk?: number;
}

function send({ app }: TestGateway, body: string | Buffer, { type = ndjson, query = '', headers, chunk }: Sent = {}) {
  const bytes = Buffer.from(body);
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += chunk ?? bytes.length) pieces.push(bytes.subarray(at, at + (chunk ?? 1e9)));
  const payload = chunk === undefined ? bytes : Readable.from(pieces, { objectMode: false });
  return app.inject({
    method: 'POST',
    url: `/v1/ingest/workers${query}`,
    payload,
    headers: { 'content-type': type, ...headers },
  });
}

const line = (id: string, text = 'x') => JSON.stringify({ id, text });
const payloads = ({ appended }: TestGateway) => appended.map(({ payload }) => payload);

describe('NDJSON', () => {
  it('is appended a line an event, as its producer wrote them, however its chunks are cut', async () => {
    const lines = [
      ' {"id":"a","text":"ä€😀"}',
      '{"id":"b","n":1}'.replace('"n":1', '"metadata":{"n":1.50}'),
      line('c'),
    ];
    for (const chunk of [1, 2, 3, 7, 1_000]) {
      const gateway = testGateway();
      const response = await send(gateway, `\uFEFF${lines[0]}\r\n\n${lines[1]}\n  \n${lines[2]}`, { chunk });
      expect(response.statusCode).toBe(202);
      expect(response.json()).toEqual({ accepted: 3, first_seq: 1, last_seq: 3, refused: 0, refused_lines: [] });
      expect(payloads(gateway).map((one) => one.replace('\r', ''))).toEqual(lines);
    }
  });

  it('may be longer than a body may be', async () => {
    const gateway = testGateway();
    const lines = Array.from({ length: 1_000 }, (_, id) => line(`w-${id}`, 'x'.repeat(50)));
    const response = await send(gateway, lines.join('\n'), { chunk: 1_000 });
    expect(response.json()).toMatchObject({ accepted: 1_000, last_seq: 1_000 });
    expect(payloads(gateway)).toEqual(lines);
  });

  it('takes batches and CloudEvents, as the bus does', async () => {
    const gateway = testGateway();
    const event = { specversion: '1.0', id: '1', source: '/crm', type: 'worker', data: { id: 'c', text: 'Packer' } };
    const lines = [`{"items":[${line('a')},${line('b')}]}`, JSON.stringify(event)];
    expect((await send(gateway, lines.join('\n'))).json()).toMatchObject({ accepted: 3, last_seq: 2 });
    expect(payloads(gateway)).toEqual(lines);
  });

  it('reference 10.30: names lines that can not be documents, takes the others, and says so with its status', async () => {
    const gateway = testGateway();
    const body = [line('a'), '{"id":"b","text":" "}', 'oops', '', '{"id":"d","vector":[1,2]}', line('e')].join('\n');
    const response = await send(gateway, body);
    expect(response.statusCode).toBe(207);
    expect(response.json()).toMatchObject({ accepted: 2, first_seq: 1, last_seq: 2, refused: 3 });
    expect(response.json().refused_lines).toEqual([
      { line: 2, id: 'b', reason: 'text: must not be empty' },
      { line: 3, reason: expect.stringContaining('not JSON') },
      { line: 5, id: 'd', reason: expect.stringContaining('2 values where') },
    ]);
  });

  it('reference 10.30: is an error where nothing of it could be taken', async () => {
    const body = Array.from({ length: linesNamedMax + 5 }, () => '{}').join('\n');
    const response = await send(testGateway(), body);
    expect(response.statusCode).toBe(400);
    expect(response.headers['content-type']).toBe('application/problem+json');
    expect(response.json()).toMatchObject({ code: 'invalid_document', accepted: 0, refused: linesNamedMax + 5 });
    expect(response.json().refused_lines).toHaveLength(linesNamedMax);
  });

  it('of nothing is taken for nothing', async () => {
    expect((await send(testGateway(), '')).json()).toMatchObject({ accepted: 0, first_seq: 0, refused: 0 });
  });

  it('reference 10.14: whose line does not end within the limit is cut off there, and tells what was taken', async () => {
    const gateway = testGateway();
    const body = `${line('a')}\n${line('b')}\n{"id":"c","text":"${'x'.repeat(5_000)}`;
    const response = await send(gateway, body, { chunk: 100 });
    expect(response.statusCode).toBe(413);
    expect(response.json()).toMatchObject({ code: 'payload_too_large', line: 3, next_line: 3, accepted: 2 });
    expect(payloads(gateway)).toEqual([line('a'), line('b')]);
  });

  it('is appended in order with never two events of one document on their way', async () => {
    const id = fc.constantFrom('a', 'b', 'c');
    await fc.assert(
      fc.asyncProperty(
        fc.array(id, { minLength: 1, maxLength: 30 }),
        fc.integer({ min: 1, max: 60 }),
        async (ids, chunk) => {
          const inFlight: string[] = [];
          let overlapping = 0;
          const gateway = testGateway({
            append: async ({ payload }, sequence) => {
              const { id: one } = JSON.parse(payload) as { id: string };
              if (inFlight.includes(one)) overlapping++;
              inFlight.push(one);
              await new Promise(setImmediate);
              inFlight.splice(inFlight.indexOf(one), 1);
              return { sequence, duplicate: false };
            },
          });
          const lines = ids.map((one, place) => line(one, `${place}`));
          expect((await send(gateway, lines.join('\n'), { chunk })).json()).toMatchObject({ accepted: ids.length });
          expect(payloads(gateway)).toEqual(lines);
          expect(overlapping).toBe(0);
        },
      ),
      { numRuns: 30 },
    );
  });
});

describe('a stream that is cut short', () => {
  const lines = ['a', 'b', 'fails', 'd'].map((id) => line(id));
  const failing: TestGatewayOptions = {
    append: async ({ payload }, sequence) => {
      if (payload.includes('fails')) throw new OutageError('unavailable', 'the log is away');
      return { sequence, duplicate: false };
    },
  };

  it('says where to go on, and can be gone on with under the same key', async () => {
    const key = { 'idempotency-key': 'file-7' };
    const gateway = testGateway(failing);
    const response = await send(gateway, lines.join('\n'), { headers: key });
    expect(response.statusCode).toBe(503);
    expect(response.headers['retry-after']).toBe('1');
    expect(response.json()).toMatchObject({ code: 'unavailable', next_line: 3, first_seq: 1 });
    const idsOf = async (body: string, query = '') => {
      const other = testGateway();
      expect((await send(other, body, { headers: key, query })).statusCode).toBe(202);
      return other.appended.map(({ messageId }) => messageId);
    };
    const whole = await idsOf(lines.join('\n'));
    expect(new Set(whole).size).toBe(4);
    expect(await idsOf(lines.slice(2).join('\n'), '?first_line=3')).toEqual(whole.slice(2));
    expect(gateway.appended.map(({ messageId }) => messageId)).toEqual(whole.slice(0, 3));
  });

  it('by the gateway itself, which stops, is told so', async () => {
    const gateway = testGateway();
    const url = await gateway.app.listen({ host: '127.0.0.1', port: 0 });
    const sent = request(`${url}/v1/ingest/workers`, {
      method: 'POST',
      agent: false,
      headers: { 'content-type': ndjson },
    });
    const answered = once(sent, 'response');
    sent.write(`${line('a')}\n`);
    await expect.poll(() => gateway.appended.length).toBe(1);
    const closed = gateway.app.close();
    const [response] = await answered;
    expect(response.statusCode).toBe(503);
    expect(JSON.parse(await text(response))).toMatchObject({ accepted: 1, next_line: 2 });
    sent.end();
    await closed;
  });

  it('by its client ends, and what came is in the log', async () => {
    const gateway = testGateway();
    const url = await gateway.app.listen({ host: '127.0.0.1', port: 0 });
    closing.push(() => gateway.app.close());
    const sent = request(`${url}/v1/ingest/workers`, {
      method: 'POST',
      agent: false,
      headers: { 'content-type': ndjson },
    });
    sent.on('error', () => {});
    sent.write(`${line('a')}\n${line('b')}\n{"id":`);
    await expect.poll(() => gateway.appended.length).toBe(2);
    sent.destroy();
    await expect.poll(() => gateway.operations).toMatchObject([{ success: false }]);
    expect(gateway.appended).toHaveLength(2);
    expect(gateway.logged).toEqual([]);
  });
});

describe('backpressure', () => {
  it('lets a stream take longer than other requests may, and lets it hold no more than is left for bodies', async () => {
    const gateway = testGateway({ options: { bodiesBytesMax: 3_000 } });
    const url = await gateway.app.listen({ host: '127.0.0.1', port: 0 });
    closing.push(() => gateway.app.close());
    const connected = once(gateway.app.server, 'connection');
    const sent = request(`${url}/v1/ingest/workers`, { method: 'POST', headers: { 'content-type': ndjson } });
    const answered = once(sent, 'response');
    sent.write(`${line('a')}\n`);
    await expect.poll(() => gateway.appended.length).toBe(1);
    // As Node.js tells a request that takes too long.
    const [socket] = await connected;
    gateway.app.server.emit('clientError', Object.assign(new Error(), { code: 'ERR_HTTP_REQUEST_TIMEOUT' }), socket);
    sent.write(`${line('b')}\n`);
    await expect.poll(() => gateway.appended.length).toBe(2);
    sent.write('x'.repeat(3_500));
    const [response] = await answered;
    expect(response.statusCode).toBe(503);
    expect(JSON.parse(await text(response))).toMatchObject({ code: 'overloaded', next_line: 3 });
    sent.end();
  });

  it('reads no further while the log does not take what was read', async () => {
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const gateway = testGateway({
      append: async (_, sequence) => {
        await released;
        return { sequence, duplicate: false };
      },
    });
    const url = await gateway.app.listen({ host: '127.0.0.1', port: 0 });
    closing.push(() => gateway.app.close());
    const { port } = new URL(url);
    const sent = request({ port, path: '/v1/ingest/workers', method: 'POST', headers: { 'content-type': ndjson } });
    const answered = once(sent, 'response');
    const many = `${Array.from({ length: 200 }, (_, id) => line(`w-${id}`, 'x'.repeat(200))).join('\n')}\n`;
    let written = 0;
    // Until the buffers between the two are full.
    while (written < 4_000 && (sent.write(many) || (await Promise.race([once(sent, 'drain'), quiet()])) !== 'quiet'))
      written++;
    expect(written).toBeLessThan(4_000);
    expect(gateway.appended.length).toBeLessThanOrEqual(256);
    release();
    sent.end();
    const [response] = await answered;
    expect(JSON.parse(await text(response))).toMatchObject({ refused: 0 });
  });
});

/** Resolves after some turns in which nothing moved. */
async function quiet(): Promise<'quiet'> {
  for (let turn = 0; turn < 2_000; turn++) await new Promise(setImmediate);
  return 'quiet';
}

describe('CSV', () => {
  const header = 'id,text,phone,years\n';

  it('is appended a row a document, quotes and line feeds in them included, however its chunks are cut', async () => {
    const body = `\uFEFF${header}w-1,"Ä ""quoted"", and\nlonger",0630555,3\r\n\nw-2,Packer,,\n`;
    for (const chunk of [1, 5, 1_000]) {
      const gateway = testGateway();
      const response = await send(gateway, body, { type: csv, query: '?types=years:number', chunk });
      expect(response.statusCode).toBe(202);
      expect(payloads(gateway).map((one) => JSON.parse(one))).toEqual([
        { id: 'w-1', text: 'Ä "quoted", and\nlonger', metadata: { phone: '0630555', years: 3 } },
        { id: 'w-2', text: 'Packer', metadata: {} },
      ]);
    }
  });

  it('has its columns named, and another separator', async () => {
    const gateway = testGateway();
    const query = `?id=nr&text=${encodeURIComponent('{name} in {city}')}&metadata=city&delimiter=semicolon`;
    await send(gateway, 'nr;name;city\n7;Ada;Aurora\n', { type: csv, query });
    expect(payloads(gateway)).toEqual(['{"id":"7","text":"Ada in Aurora","metadata":{"city":"Aurora"}}']);
  });

  it('names rows that can not be documents by their lines', async () => {
    const body = `${header}w-1,a,,\nw-2,"b\nb",,\nw-3,c\n,d,,\nw-5,e,,oops\nw-6,f,,\n`;
    const response = await send(testGateway(), body, { type: csv, query: '?types=years:number' });
    expect(response.statusCode).toBe(207);
    expect(response.json()).toMatchObject({ accepted: 3, refused: 3 });
    expect(response.json().refused_lines).toEqual([
      { line: 5, id: 'w-3', reason: 'has 2 cells where the header has 4' },
      { line: 6, id: '', reason: 'id: must not be empty' },
      { line: 7, id: 'w-5', reason: expect.stringContaining('"years"') },
    ]);
  });

  it('goes on behind its header, with the ids that the rows had', async () => {
    const key = { 'idempotency-key': 'file-7' };
    const whole = testGateway();
    await send(whole, `${header}w-1,a,,\nw-2,b,,\n`, { type: csv, headers: key });
    const rest = testGateway();
    await send(rest, `${header}w-2,b,,\n`, { type: csv, headers: key, query: '?first_line=3' });
    expect(rest.appended.map(({ messageId }) => messageId)).toEqual([whole.appended[1]?.messageId]);
  });

  it.each([
    ['a header that lacks the text', 'id,resume\n1,a\n', 400],
    ['no header', '', 400],
    ['a quote that stands where none may', `${header}w-1,a"b,,\n`, 400],
    ['bytes that are not UTF-8', Buffer.concat([Buffer.from(header), Buffer.from([0xff, 0x0a])]), 400],
    ['a quote that never ends', `${header}w-1,"${'x'.repeat(6_000)}`, 413],
    ['columns that never end', `${header}w-1${',a'.repeat(4_000)}`, 413],
    ['empty columns that never end', `${header}w-1${','.repeat(6_000)}`, 413],
  ])('of %s is told', async (_, body, status) => {
    const gateway = testGateway();
    const response = await send(gateway, body, { type: csv, chunk: 500 });
    expect(response.statusCode).toBe(status);
    expect(response.json()).toMatchObject({ code: status === 413 ? 'payload_too_large' : 'bad_request', accepted: 0 });
    expect(gateway.appended).toEqual([]);
  });
});

describe('wait=searchable with a stream', () => {
  it('waits for all, some thousands at a time, and names what was rejected', async () => {
    const rejected = { id: 'w-7', version: 8, reason: 'text_refused', message: 'too odd' };
    const gateway = testGateway({
      answer: ({ body }) => {
        const { items } = JSON.parse(Buffer.from(body).toString()) as { items: { id: string }[] };
        const has = items.some(({ id }) => id === 'w-7');
        return reply(200, { searchable: items.length - (has ? 1 : 0), rejected: has ? [rejected] : [] });
      },
    });
    const body = Array.from({ length: 12_000 }, (_, id) => line(`w-${id}`)).join('\n');
    const response = await send(gateway, body, { query: '?wait=searchable', chunk: 10_000 });
    expect(response.statusCode).toBe(200);
    expect(response.json()).toMatchObject({
      accepted: 12_000,
      searchable: 11_999,
      rejected: [{ id: 'w-7', seq: 8, reason: 'text_refused' }],
    });
    expect(gateway.asked).toHaveLength(2);
  });
});
