import { Readable } from 'node:stream';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { type TestGatewayOptions, testGateway } from '../app-fixtures.ts';

const mebibyte = 1024 * 1024;
const bodyBytesMax = mebibyte / 4;
const ndjson = 'application/x-ndjson';
const csv = 'text/csv';

async function send(type: string, body: string | Buffer | Readable, query = '', given: TestGatewayOptions = {}) {
  const gateway = testGateway({ ...given, options: { bodyBytesMax, ...given.options } });
  const headers = { 'content-type': type };
  const url = `/v1/ingest/workers${query}`;
  const answer = await gateway.app.inject({ method: 'POST', url, headers, payload: body });
  return { ...gateway, answer, status: answer.statusCode, said: answer.json() as Record<string, unknown> };
}

/** A body that is far longer than is taken, and never comes to the end of anything. */
function endless(text: string): Readable {
  const chunk = Buffer.from(text.repeat(64 * 1024).slice(0, 64 * 1024));
  return Readable.from(Array.from({ length: (2 * bodyBytesMax) / chunk.length }, () => chunk));
}

describe('a body that never ends', () => {
  it.each([
    ['one line of NDJSON', ndjson, 'x'],
    ['one string in NDJSON', ndjson, '{"id":"x","text":"'],
    ['one cell of CSV', csv, 'x'],
    ['a quote in CSV that is not closed', csv, '"'],
    ['one row of CSV of ever more columns', csv, 'a,'],
    ['CSV of separators alone', csv, ','],
  ])('%s is cut off at the limit of one document', async (_, type, text) => {
    const { status, said, appended } = await send(type, endless(text));
    expect([status, said.code]).toEqual([413, 'payload_too_large']);
    expect(appended).toEqual([]);
  });

  it('of empty lines costs nothing but its time, and ends when its client does', async () => {
    const { status, appended } = await send(ndjson, Buffer.alloc(mebibyte, '\n'));
    expect([status, appended]).toEqual([202, []]);
  });
});

describe('CSV that is not what it seems', () => {
  it('has a limit of columns, and of cells in a row that has more than its header', async () => {
    const many = Array.from({ length: 40_000 }, (_, place) => place.toString(36)).join(',');
    const wide = await send(csv, `${many.slice(0, bodyBytesMax / 2)}\n`);
    expect([wide.status, wide.said.code]).toEqual([400, 'bad_request']);
    expect(String(wide.said.detail)).toMatch(/columns, and 1000 are taken/);
    expect(wide.answer.body.length).toBeLessThan(10_000);
    const row = await send(csv, `id,text\nw-1,${'x,'.repeat(50_000)}\n`);
    expect([row.status, row.said.refused]).toEqual([400, 1]);
    expect(row.answer.body.length).toBeLessThan(10_000);
  });

  it('never writes to what all objects share', async () => {
    const { status, said, appended } = await send(csv, 'id,text,__proto__\nw-1,x,{}\n', '?types=__proto__:json');
    expect([status, appended]).toEqual([400, []]);
    expect(String(said.detail)).toContain('__proto__');
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  it.each(['constructor', '__proto__', 'toString', 'hasOwnProperty'])('takes %s for no boolean', async (cell) => {
    const { status, said } = await send(csv, `id,text,ready\nw-1,x,${cell}\n`, '?types=ready:boolean');
    expect(status).toBe(400);
    expect(said.refused_lines).toMatchObject([{ line: 2, reason: expect.stringContaining('neither true nor false') }]);
  });

  it.each(['constructor', 'toString'])('keeps a column that is called %s', async (column) => {
    const { status, appended } = await send(csv, `id,text,${column}\nw-1,x,y\n`);
    expect(status).toBe(202);
    expect(JSON.parse(appended[0]?.payload ?? '{}')).toEqual({ id: 'w-1', text: 'x', metadata: { [column]: 'y' } });
  });

  it('refuses JSON that is nested deeper than it could be written, line by line', async () => {
    const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`;
    const { status, said, appended } = await send(csv, `id,text,more\nw-1,x,${deep}\nw-2,y,1\n`, '?types=more:json');
    expect([status, said.accepted, said.refused, appended.length]).toEqual([207, 1, 1, 1]);
    expect(said.refused_lines).toMatchObject([{ line: 2, id: 'w-1', reason: expect.stringContaining('nested') }]);
  });

  it.each(['id,text\nw-1,"x', 'id,text\nw-1,"x"y\n', '"id","text\nw-1,x'])(
    '%j is refused as it stands',
    async (body) => {
      const { status, said, appended } = await send(csv, body);
      expect([status, said.code, appended]).toEqual([400, 'bad_request', []]);
    },
  );
});

describe('a compressed body', () => {
  const document = Buffer.from('{"id":"w-1","text":"x"}');
  it.each([
    ['gzip', gzipSync(document)],
    ['deflate', deflateSync(document)],
    ['br', brotliCompressSync(document)],
    ['gzip', gzipSync(Buffer.alloc(8 * mebibyte))],
    ['identity, gzip', gzipSync(document)],
    ['zstd', document],
    ['gzip', document],
  ])('of %s is refused by its header, and not unpacked', async (encoding, body) => {
    for (const type of ['application/json', ndjson, csv]) {
      const { app, appended } = testGateway({ options: { bodyBytesMax } });
      const headers = { 'content-type': type, 'content-encoding': encoding };
      const answer = await app.inject({ method: 'POST', url: '/v1/ingest/workers', headers, payload: body });
      expect([answer.statusCode, answer.json().code, appended]).toEqual([415, 'unsupported_media_type', []]);
      expect(answer.headers['accept-encoding']).toBe('identity');
    }
  });

  it('that says it is none is taken', async () => {
    const { app } = testGateway();
    const headers = { 'content-type': 'application/json', 'content-encoding': 'identity' };
    const answer = await app.inject({ method: 'POST', url: '/v1/ingest/workers', headers, payload: document });
    expect(answer.statusCode).toBe(202);
  });
});

describe('JSON without a bottom', () => {
  const depth = 100_000;
  it.each([
    ['arrays', `${'['.repeat(depth)}${']'.repeat(depth)}`],
    ['arrays that do not close', '['.repeat(depth)],
    ['objects', `${'{"a":'.repeat(30_000)}1${'}'.repeat(30_000)}`],
    ['metadata', `{"id":"x","text":"y","metadata":${'{"a":'.repeat(30_000)}1${'}'.repeat(30_000)}}`],
    ['an unknown field', `{"id":"x","text":"y","more":${'['.repeat(depth)}${']'.repeat(depth)}}`],
    ['a text', `{"id":"x","text":${'['.repeat(depth)}${']'.repeat(depth)}}`],
    ['items', `{"items":${'['.repeat(depth)}${']'.repeat(depth)}}`],
    ['an element', `[{"id":"x","text":"y"},${'['.repeat(depth)}${']'.repeat(depth)}]`],
    ['many fields that are not known', `{${Array.from({ length: 20_000 }, (_, at) => `"k${at}":1`).join(',')}}`],
  ])('%s: a 400, in few words, and nothing is appended', async (_, body) => {
    for (const type of ['application/json', ndjson]) {
      const { status, answer, appended } = await send(type, body);
      expect([status, appended]).toEqual([400, []]);
      expect(answer.body.length).toBeLessThan(10_000);
    }
  });
});
