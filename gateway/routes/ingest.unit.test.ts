import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { problem } from '../../schemas/problems.ts';
import { ingestRowsMax } from '../../schemas/requests/ingest.ts';
import { OutageError } from '../../streams/append.ts';
import { reply, type TestGateway, type TestGatewayOptions, testGateway } from '../app-fixtures.ts';
import { gatewayLimits } from '../limits.ts';

function ingest({ app }: TestGateway, body: unknown, query = '', headers: Record<string, string> = {}) {
  const payload = typeof body === 'string' ? body : JSON.stringify(body);
  return app.inject({ method: 'POST', url: `/v1/ingest/workers${query}`, body: payload, headers });
}

const large: TestGatewayOptions = { options: { bodyBytesMax: 4_000_000 } };

describe('POST /v1/ingest/<corpus>', () => {
  it('appends one document as its producer wrote it', async () => {
    const gateway = testGateway();
    const body = ' {"id":"w-1", "text":"Forklift","metadata":{"pay":1.50,"n":12345678901234567890}}\n';
    const response = await ingest(gateway, body, '', { 'x-lakehouse-trace-id': 't-1' });
    expect(response.statusCode).toBe(202);
    expect(response.json()).toEqual({ accepted: 1, first_seq: 1, last_seq: 1 });
    expect(gateway.appended).toMatchObject([{ corpus: 'workers', payload: body, traceId: 't-1' }]);
  });

  it('appends each row of an array as an event of its own, in order, with ids that differ', async () => {
    const gateway = testGateway(large);
    const rows = Array.from({ length: 700 }, (_, row) => `{"id":"w-${row}","text":"row  ${row}"}`);
    const response = await ingest(gateway, `[${rows.join(' ,\n')}]`);
    expect(response.json()).toEqual({ accepted: 700, first_seq: 1, last_seq: 700 });
    expect(gateway.appended.map(({ payload }) => payload)).toEqual(rows);
    expect(new Set(gateway.appended.map(({ messageId }) => messageId)).size).toBe(700);
  });

  it('reference 10.4: appends {"items": [...]} as one event', async () => {
    const gateway = testGateway();
    const body = '{"items": [{"id":"w-1","text":"a"}, {"id":"w-2","deleted":true}]}';
    expect((await ingest(gateway, body)).json()).toEqual({ accepted: 2, first_seq: 1, last_seq: 1 });
    expect(gateway.appended.map(({ payload }) => payload)).toEqual([body]);
  });

  it('takes a vector in its own space, and in the default one where it names none', async () => {
    const gateway = testGateway();
    const rows = [
      { id: 'a', vector: [1, 2], space: 'other@2' },
      { id: 'b', vector: [1, 2, 3] },
    ];
    expect((await ingest(gateway, rows)).statusCode).toBe(202);
  });
});

describe('a bad row', () => {
  const good = { id: 'w-0', text: 'fine' };
  it.each([
    ['has no text', { id: 'w-1', text: ' ' }, 'text: must not be empty', 'w-1'],
    ['says nothing', { id: 'w-1' }, 'says nothing', 'w-1'],
    ['has a slip', { id: 'w-1', txt: 'x' }, 'txt', 'w-1'],
    ['has no id', { text: 'x' }, 'id', undefined],
    ['has an id of no text', { id: 7, text: 'x' }, 'id', undefined],
    ['is no object', 'w-1', 'object', undefined],
    ['is null', null, 'object', undefined],
    ['has a zero vector', { id: 'w-1', vector: [0, 0, 0] }, 'vector: the vector is zero', 'w-1'],
    ['has an infinite vector', { id: 'w-1', vector: [1, 2, 1e39] }, 'vector: the vector holds', 'w-1'],
    [
      'has a vector of another dimension',
      { id: 'w-1', vector: [1, 2] },
      'vector: the vector has 2 values where',
      'w-1',
    ],
    [
      'is not of its space',
      { id: 'w-1', vector: [1, 2], space: 'm@3' },
      'vector: the vector has 2 values where',
      'w-1',
    ],
    ['names a space alone', { id: 'w-1', text: 'x', space: 'm@3' }, 'space: goes with a vector', 'w-1'],
  ])('that %s is named, and nothing is appended', async (_, bad, reason, id) => {
    for (const [body, row] of [
      [bad, 0],
      [[good, good, bad, good], 2],
      [{ items: [good, bad] }, 1],
    ] as const) {
      if (row === 0 && (typeof bad !== 'object' || bad === null)) continue;
      const gateway = testGateway();
      const response = await ingest(gateway, body, '?wait=searchable');
      expect(response.headers['content-type']).toBe('application/problem+json');
      const told = response.json();
      expect(told).toMatchObject({
        status: 400,
        code: 'invalid_document',
        row,
        reason: expect.stringContaining(reason),
      });
      expect(told.id).toBe(id);
      expect(told.detail).toContain(`row ${row}`);
      expect(gateway.appended).toEqual([]);
      expect(gateway.asked).toEqual([]);
    }
  });

  it('that is not JSON is named', async () => {
    const gateway = testGateway();
    const response = await ingest(gateway, '[{"id":"a","text":"b"},{"id":oops}]');
    expect(response.json()).toMatchObject({ code: 'invalid_document', row: 1 });
    expect(gateway.appended).toEqual([]);
  });

  it('that is nested beyond reason is a 400', async () => {
    const gateway = testGateway(large);
    const nested = `${'['.repeat(400_000)}${']'.repeat(400_000)}`;
    for (const body of [`{"id":"a","text":"b","metadata":{"n":${nested}}}`, `[{"id":"a","metadata":{"n":${nested}}}]`])
      expect((await ingest(gateway, body)).json()).toMatchObject({ status: 400, code: 'invalid_document', row: 0 });
    expect(gateway.appended).toEqual([]);
  });

  it('that is too large for the log is named before any is appended', async () => {
    const gateway = testGateway({ payloadBytesMax: gatewayLimits.eventHeaderBytesMax + 100 });
    const response = await ingest(gateway, [good, { id: 'w-1', text: 'x'.repeat(200) }]);
    expect(response.json()).toMatchObject({ status: 413, code: 'payload_too_large', row: 1 });
    expect(gateway.appended).toEqual([]);
  });
});

describe('a bad request', () => {
  it.each([
    ['no body', ''],
    ['an empty array', '[]'],
    ['an empty batch', '{"items":[]}'],
    ['a batch of no array', '{"items":{}}'],
    ['a batch with more beside it', '{"items":[{"id":"a","text":"b"}],"wait":true}'],
    ['no JSON', '{"id":'],
    ['no whole array', '[{"id":"a","text":"b"}'],
    ['a number', '7'],
    ['null', 'null'],
  ])('of %s is told', async (_, body) => {
    const gateway = testGateway();
    expect((await ingest(gateway, body)).json()).toMatchObject({ status: 400, code: 'bad_request' });
    expect(gateway.appended).toEqual([]);
  });

  it('of more rows than are taken is told', async () => {
    const gateway = testGateway(large);
    const body = `[${Array.from({ length: ingestRowsMax + 1 }, (_, row) => `{"id":"${row}","deleted":true}`).join()}]`;
    expect((await ingest(gateway, body)).json()).toMatchObject({ status: 400, code: 'bad_request' });
  });

  it('of bytes that are not UTF-8 is told', async () => {
    const { app, appended } = testGateway();
    const body = Buffer.concat([Buffer.from('{"id":"'), Buffer.from([0xff]), Buffer.from('","text":"x"}')]);
    const response = await app.inject({ method: 'POST', url: '/v1/ingest/workers', body });
    expect(response.json()).toMatchObject({ status: 400, code: 'bad_request' });
    expect(appended).toEqual([]);
  });

  it.each([
    ['/v1/ingest/Workers', {}],
    ['/v1/ingest/work%2Eers', {}],
    ['/v1/ingest/workers?wait=a-bit', {}],
    ['/v1/ingest/workers?wait=searchable&wait=searchable', {}],
    ['/v1/ingest/workers', { 'idempotency-key': '' }],
    ['/v1/ingest/workers', { 'idempotency-key': 'k'.repeat(256) }],
  ])('to %s with %j is told', async (url, headers) => {
    const { app, appended } = testGateway();
    const response = await app.inject({ method: 'POST', url, headers, body: '{"id":"a","text":"b"}' });
    expect(response.json()).toMatchObject({ status: 400, code: 'bad_request' });
    expect(appended).toEqual([]);
  });

  it('is never an error of the gateway, whatever its bytes are', async () => {
    const piece = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      '"id"',
      ':',
      '"a"',
      ',',
      '"items"',
      '"text"',
      '1',
      'null',
      '\\',
      '"',
    );
    const body = fc.oneof(
      fc.array(piece).map((pieces) => pieces.join('')),
      fc.string(),
      fc.json(),
    );
    const gateway = testGateway();
    await fc.assert(
      fc.asyncProperty(body, async (text) => {
        expect([202, 400]).toContain((await ingest(gateway, text)).statusCode);
      }),
      { numRuns: 500 },
    );
  });
});

describe('order', () => {
  it('never has two events of one document on their way at once', async () => {
    const inFlight: string[] = [];
    let overlapping = 0;
    const ids = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1, maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(ids, async (row) => {
        const gateway = testGateway({
          append: async ({ payload }, sequence) => {
            const { id } = JSON.parse(payload) as { id: string };
            if (inFlight.includes(id)) overlapping++;
            inFlight.push(id);
            await new Promise(setImmediate);
            inFlight.splice(inFlight.indexOf(id), 1);
            return { sequence, duplicate: false };
          },
        });
        const rows = row.map((id) => ({ id, text: 'x' }));
        expect((await ingest(gateway, rows)).statusCode).toBe(202);
        expect(gateway.appended.map(({ payload }) => JSON.parse(payload))).toEqual(rows);
      }),
      { numRuns: 50 },
    );
    expect(overlapping).toBe(0);
  });

  it('appends no later word about a document whose earlier one failed', async () => {
    const gateway = testGateway({
      append: async ({ payload }, sequence) => {
        if (payload.includes('fails')) throw new OutageError('unavailable', 'the log is away');
        return { sequence, duplicate: false };
      },
    });
    const rows = [
      { id: 'a', text: 'fails' },
      { id: 'b', text: 'x' },
      { id: 'a', text: 'later' },
    ];
    expect((await ingest(gateway, rows)).statusCode).toBe(503);
    expect(gateway.appended.map(({ payload }) => JSON.parse(payload).text)).toEqual(['fails', 'x']);
  });
});

describe('outages', () => {
  const rows = ['a', 'b', 'c'].map((id) => ({ id, text: id }));
  const failing = (code: 'unavailable' | 'store_full'): TestGatewayOptions => ({
    append: async ({ payload }, sequence) => {
      if (payload.includes('"c"')) throw new OutageError(code, 'because');
      return { sequence, duplicate: false };
    },
  });

  it.each([
    ['unavailable', 503, '1'],
    ['store_full', 507, undefined],
  ] as const)('%s is a %i that tells what is in the log', async (code, status, retryAfter) => {
    const response = await ingest(testGateway(failing(code)), rows);
    expect(response.statusCode).toBe(status);
    expect(response.headers['retry-after']).toBe(retryAfter);
    expect(response.json()).toMatchObject({ code, accepted: 2, first_seq: 1, last_seq: 2 });
  });

  it('of the whole bus is told without trying', async () => {
    const gateway = testGateway({ dependencies: { isConnected: () => false } });
    const response = await ingest(gateway, rows);
    expect(response.headers['retry-after']).toBe('1');
    expect(response.json()).toMatchObject({ status: 503, accepted: 0, first_seq: 0, last_seq: 0 });
    expect(gateway.appended).toEqual([]);
  });

  it('of an unknown kind is told as an error, and logged', async () => {
    const gateway = testGateway({ append: () => Promise.reject(new Error('inner life')) });
    const response = await ingest(gateway, rows);
    expect(response.json()).toMatchObject({ status: 500, code: 'internal', accepted: 0 });
    expect(response.body).not.toContain('inner life');
    expect(gateway.logged).toHaveLength(1);
  });
});

describe('Idempotency-Key', () => {
  const rows = [
    { id: 'a', text: 'x' },
    { id: 'b', text: 'y' },
  ];
  const idsOf = async (key: string, body: unknown, corpus = 'workers') => {
    const { app, appended } = testGateway();
    const headers = { 'idempotency-key': key };
    await app.inject({ method: 'POST', url: `/v1/ingest/${corpus}`, headers, body: JSON.stringify(body) });
    return appended.map(({ messageId }) => messageId);
  };

  it('gives the same request the same message ids, and another one others', async () => {
    const ids = await idsOf('key', rows);
    expect(ids).toHaveLength(2);
    expect(await idsOf('key', rows)).toEqual(ids);
    const others = [
      await idsOf('key2', rows),
      await idsOf('key', rows, 'jobs'),
      await idsOf('key', [...rows].reverse()),
    ];
    expect(new Set([...ids, ...others.flat()]).size).toBe(8);
  });

  it('does not make one of two rows that say the same', async () => {
    expect(new Set(await idsOf('key', [rows[0], rows[0]])).size).toBe(2);
  });
});

describe('wait=searchable', () => {
  const rows = [
    { id: 'a', text: 'x' },
    { id: 'b', text: 'y' },
  ];

  it('waits for each document at its sequence, and asks later searches to see it', async () => {
    const gateway = testGateway({
      answer: () => reply(200, { searchable: 2, rejected: [] }, { 'X-Lakehouse-Position': 'VECTORS=31' }),
    });
    const response = await ingest(gateway, rows, '?wait=searchable');
    expect(response.statusCode).toBe(200);
    expect(response.json()).toEqual({ accepted: 2, first_seq: 1, last_seq: 2, searchable: 2, rejected: [] });
    expect(response.headers['x-lakehouse-position']).toBe('VECTORS=31');
    const [wait] = gateway.asked;
    expect(wait).toMatchObject({ subject: 'svc.index.wait', options: { deadlineMs: 2_000 } });
    expect(JSON.parse(Buffer.from(wait?.body ?? []).toString())).toEqual({
      items: [
        { corpus: 'workers', id: 'a', version: 1 },
        { corpus: 'workers', id: 'b', version: 2 },
      ],
    });
    await gateway.app.inject({ method: 'POST', url: '/v1/matrix/search', body: '{}' });
    expect(gateway.asked[1]?.options.headers).toMatchObject({ 'X-Lakehouse-Position': 'VECTORS=31' });
  });

  it('waits for all documents of a batch at its one sequence', async () => {
    const gateway = testGateway({ answer: () => reply(200, { searchable: 2, rejected: [] }) });
    await ingest(gateway, { items: rows }, '?wait=searchable');
    const { items } = JSON.parse(Buffer.from(gateway.asked[0]?.body ?? []).toString());
    expect(items.map(({ version }: { version: number }) => version)).toEqual([1, 1]);
  });

  it('names what was rejected', async () => {
    const rejected = { id: 'b', version: 2, reason: 'text_refused', message: 'too odd' };
    const gateway = testGateway({ answer: () => reply(200, { searchable: 1, rejected: [rejected] }) });
    expect((await ingest(gateway, rows, '?wait=searchable')).json()).toMatchObject({
      searchable: 1,
      rejected: [{ id: 'b', seq: 2, reason: 'text_refused', message: 'too odd' }],
    });
  });

  it.each([
    ['the deadline passes', reply(504, problem('deadline_passed', '1 of 2 left')), 504, 'deadline_passed', '1'],
    ['nobody answers', reply(503, problem('unavailable', 'nobody')), 503, 'unavailable', '1'],
    ['the answer is an error', reply(500, problem('internal', 'oh')), 502, 'upstream_failed', undefined],
    ['the answer is strange', reply(200, 'hello'), 502, 'upstream_failed', undefined],
  ] as const)('still tells what was accepted when %s', async (_, answer, status, code, retryAfter) => {
    const response = await ingest(testGateway({ answer: () => answer }), rows, '?wait=searchable');
    expect(response.statusCode).toBe(status);
    expect(response.headers['retry-after']).toBe(retryAfter);
    expect(response.json()).toMatchObject({ code, accepted: 2, first_seq: 1, last_seq: 2 });
  });
});
