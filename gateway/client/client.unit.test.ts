import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { problem } from '../../schemas/problems.ts';
import { createGatewayClient } from './client.ts';
import { GatewayError, GatewayUnreachableError } from './errors.ts';
import { withRetries } from './exchange.ts';

interface Received {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}
interface Answer {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
  /** Never answer. */
  readonly silent?: boolean;
}

/** A server on a loopback port that answers in turn what it is told to. */
async function startServer(answers: readonly Answer[]) {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { method, url, headers } = request;
    const answer = answers[Math.min(received.length, answers.length - 1)] ?? {};
    received.push({ method, url, headers, body: Buffer.concat(chunks).toString('utf8') });
    if (answer.silent === true) return;
    response.writeHead(answer.status ?? 200, { 'content-type': 'application/json', ...answer.headers });
    response.end(typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const stop = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { url, received, stop, [Symbol.asyncDispose]: stop };
}

const recorded = { playbook_id: 'pb-1126c52bd106df6b' };
const recordRequest = { query_text: 'q', answer_id: 'w-43', answer_corpus: 'workers', score: 1 };
const found = {
  results: [{ id: 'w-43', distance: 0.2, corpus: 'workers' }],
  per_corpus_counts: { workers: 1 },
  playbook_boosted: 1,
  playbook_injected: 0,
  boosted: 1,
  injected: 0,
  metadata_filter_dropped: 0,
};

async function thrownBy(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => expect.unreachable('should have thrown'),
    (error: unknown) => error,
  );
}

describe('the gateway client', () => {
  it('carries the position of an answer into the next request, and the token into each', async () => {
    await using server = await startServer([
      { body: recorded, headers: { 'X-Lakehouse-Position': 'PLAYBOOKS=12' } },
      { body: found, headers: { 'X-Lakehouse-Position': 'PLAYBOOKS=7,VECTORS=4031' } },
      { body: found },
    ]);
    const client = createGatewayClient({ url: server.url, token: 'secret', deadlineMs: 5_000 });
    expect(await client.record(recordRequest)).toEqual(recorded);
    expect(await client.search({ query_text: 'q', corpora: ['workers'] })).toEqual(found);
    await client.search({ query_text: 'q', corpora: ['workers'] });
    expect(server.received.map(({ headers }) => headers['x-lakehouse-position'])).toEqual([
      undefined,
      'PLAYBOOKS=12',
      'PLAYBOOKS=12,VECTORS=4031',
    ]);
    expect(server.received.map(({ headers }) => headers.authorization)).toEqual(Array(3).fill('Bearer secret'));
    expect(server.received.map(({ method, url }) => `${method} ${url}`)).toEqual([
      'POST /v1/matrix/playbooks/record',
      'POST /v1/matrix/search',
      'POST /v1/matrix/search',
    ]);
  });

  it('appends documents, and says whether to wait and under which key', async () => {
    await using server = await startServer([{ body: { accepted: 1, first_seq: 5, last_seq: 5, searchable: 1 } }]);
    const client = createGatewayClient({ url: `${server.url}/`, deadlineMs: 5_000 });
    await client.ingest('workers', [{ id: 'w-1', text: 't' }], { waitSearchable: true, idempotencyKey: 'k-1' });
    expect(server.received[0]).toMatchObject({
      url: '/v1/ingest/workers?wait=searchable',
      headers: expect.objectContaining({ 'idempotency-key': 'k-1' }),
      body: '[{"id":"w-1","text":"t"}]',
    });
  });

  it('throws the problem that the gateway told', async () => {
    const told = problem('invalid_document', 'row 3: text: must not be empty', { row: 3 });
    await using server = await startServer([{ status: 400, body: told, headers: { 'retry-after': '2' } }]);
    const client = createGatewayClient({ url: server.url, deadlineMs: 5_000 });
    const error = await thrownBy(client.ingest('workers', []));
    expect(error).toBeInstanceOf(GatewayError);
    expect((error as GatewayError).problem).toEqual(told);
    expect((error as GatewayError).retryAfterSeconds).toBe(2);
  });

  it.each([
    { name: 'a page of another program', answer: { status: 404, body: '<html>' } },
    { name: 'an answer of another shape', answer: { body: { hello: 'world' } } },
    { name: 'an error with a code nobody knows', answer: { status: 500, body: { code: 'toString' } } },
  ])('says that $name is no gateway of this system', async ({ answer }) => {
    await using server = await startServer([answer]);
    const error = await thrownBy(createGatewayClient({ url: server.url, deadlineMs: 5_000 }).embedStats());
    expect(error).toBeInstanceOf(GatewayUnreachableError);
    expect((error as GatewayUnreachableError).reason).toBe('not-a-gateway');
  });

  it('gives up at its deadline', async () => {
    await using server = await startServer([{ silent: true }]);
    const error = await thrownBy(createGatewayClient({ url: server.url, deadlineMs: 50 }).indexInfo());
    expect((error as GatewayUnreachableError).reason).toBe('deadline');
  });

  it('says that nothing listens', async () => {
    const server = await startServer([{}]);
    await server.stop();
    const error = await thrownBy(createGatewayClient({ url: server.url, deadlineMs: 5_000 }).indexInfo());
    expect((error as GatewayUnreachableError).reason).toBe('refused');
  });
});

describe('trying again', () => {
  it('goes on while the gateway is away, and returns the answer', async () => {
    await using server = await startServer([
      { status: 503, body: problem('unavailable', 'nobody answers') },
      { body: { ...recorded } },
    ]);
    const client = createGatewayClient({ url: server.url, deadlineMs: 5_000 });
    expect(await withRetries(3, () => client.record(recordRequest))).toEqual(recorded);
    expect(server.received).toHaveLength(2);
  });

  it('stops at the number of attempts', async () => {
    await using server = await startServer([{ status: 503, body: problem('unavailable', 'nobody answers') }]);
    const client = createGatewayClient({ url: server.url, deadlineMs: 5_000 });
    await expect(withRetries(2, () => client.record(recordRequest))).rejects.toThrow('nobody answers');
    expect(server.received).toHaveLength(2);
  });

  it('does not try a refusal again', async () => {
    await using server = await startServer([{ status: 400, body: problem('bad_request', 'no') }]);
    const client = createGatewayClient({ url: server.url, deadlineMs: 5_000 });
    await expect(withRetries(5, () => client.record(recordRequest))).rejects.toThrow('no');
    expect(server.received).toHaveLength(1);
  });
});
