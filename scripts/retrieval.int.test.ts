import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GatewayError } from '../gateway/client/errors.ts';
import { startTestStack, type TestStack } from './testing/stack.ts';

const space = 'mine@4';
const documents = [
  { id: 'w-1', text: 'Forklift operator, OSHA-30', vector: [1, 0, 0, 0], space, metadata: { state: 'IL' } },
  { id: 'w-2', text: 'Warehouse packer', vector: [0.9, 0.1, 0, 0], space, metadata: { state: 'IN' } },
  { id: 'w-3', text: 'Welder', vector: [0, 1, 0, 0], space },
];

let stack: TestStack;
beforeAll(async () => {
  stack = await startTestStack({ workers: ['ingest', 'embed', 'index'] });
  await stack.client.ingest('workers', documents, { waitSearchable: true });
});
afterAll(() => stack[Symbol.asyncDispose]());

describe('the other routes of the matrix', () => {
  it('retrieve is search by another name', async () => {
    const body = JSON.stringify({ query_vector: [1, 0, 0, 0], corpora: ['workers'], k: 2 });
    const ask = async (route: string) => {
      const response = await fetch(`${stack.url}/v1/matrix/${route}`, { method: 'POST', body });
      return { status: response.status, text: await response.text() };
    };
    const searched = await ask('search');
    expect(searched.status).toBe(200);
    expect(JSON.parse(searched.text).results).toHaveLength(2);
    expect(await ask('retrieve')).toEqual(searched);
  });

  it('corpora tells what can be searched', async () => {
    expect(await stack.client.corpora()).toEqual({
      corpora: [
        {
          name: 'workers',
          playbooks: false,
          space,
          dimension: 4,
          distance: 'cosine',
          documents: 3,
          tombstones: 0,
          serving: true,
        },
      ],
    });
  });

  it('relevance and downgrade decide, and refuse what is malformed', async () => {
    const { client } = stack;
    const { kept, dropped } = await client.relevance({
      focus: { path: 'src/db.rs', defined_symbols: ['Connector'] },
      chunks: [{ text: 'Connector opens' }, { text: 'tea' }],
    });
    expect([kept.length, dropped.length]).toEqual([1, 1]);
    expect(await client.downgrade({ mode: 'codereview_lakehouse', model: 'grok-4.1-fast' })).toEqual({
      mode: 'codereview_isolation',
      downgraded_from: 'codereview_lakehouse',
      reason: 'strong_model',
    });
    await expect(client.downgrade({ mode: '' })).rejects.toMatchObject({
      problem: { status: 400, code: 'bad_request', field: 'mode' },
    } satisfies { problem: Partial<GatewayError['problem']> });
    await expect(client.relevance({ chunks: [] })).rejects.toThrow(GatewayError);
  });
});
