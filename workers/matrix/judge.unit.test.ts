import { describe, expect, test } from 'vitest';
import { createJudge, type JudgeOptions } from './judge.ts';
import { judgeReplyBytesMax } from './limits.ts';

const url = 'http://127.0.0.1:11434/api/chat';
const candidate = { id: 'w-43', corpus: 'workers', distance: 0.1, metadataJson: '{"role":"Forklift Operator"}' };

type Fetch = JudgeOptions['fetch'];

function chatReply(content: string): string {
  return JSON.stringify({ message: { role: 'assistant', content }, done: true });
}

function answering(body: string, init: ResponseInit = {}): Fetch {
  return async () => new Response(body, init);
}

async function approves(options: Partial<JudgeOptions>): Promise<boolean> {
  const judge = createJudge({ url, model: 'qwen2.5', fetch: answering(chatReply('{"rating":5}')), ...options });
  if (judge === undefined) throw new Error('expected a judge');
  return judge('Need 3 Forklift Operators', candidate);
}

describe('createJudge', () => {
  test.each([
    { url: undefined, model: 'qwen2.5' },
    { url: '', model: 'qwen2.5' },
    { url, model: undefined },
    { url, model: '' },
  ])('given no address or no model (%j), then there is no judge', (options) => {
    expect(createJudge({ ...options, fetch: answering('') })).toBeUndefined();
  });

  test('it asks the chat endpoint once, for JSON, with query and candidate as data', async () => {
    const calls: { input: unknown; init: RequestInit | undefined }[] = [];
    const recording: Fetch = async (input, init) => {
      calls.push({ input, init });
      return new Response(chatReply('{"rating":4}'));
    };
    expect(await approves({ fetch: recording })).toBe(true);
    expect(calls).toHaveLength(1);
    expect(calls[0]?.input).toBe(url);
    expect(calls[0]?.init).toMatchObject({ method: 'POST', redirect: 'error' });
    const body = JSON.parse(String(calls[0]?.init?.body));
    expect(body).toMatchObject({ model: 'qwen2.5', stream: false, format: 'json' });
    expect(JSON.parse(body.messages[1].content)).toEqual({
      request: 'Need 3 Forklift Operators',
      candidate: { id: 'w-43', corpus: 'workers', metadata: candidate.metadataJson },
    });
  });

  test.each([
    [3, undefined, true],
    [2, undefined, false],
    [2.9, 0, false],
    [3, 0, true],
    [2, -1, false],
    [2, 2, true],
    [4, 5, false],
    [5, 5, true],
    [3, Number.NaN, true],
  ])('rating %d against a least rating of %d: %j', async (rating, minRating, expected) => {
    expect(await approves({ minRating, fetch: answering(chatReply(JSON.stringify({ rating }))) })).toBe(expected);
  });
});

describe('the judge fails closed (#23)', () => {
  test.each([
    ['an HTTP error', answering(chatReply('{"rating":5}'), { status: 500 })],
    ['a missing model', answering(chatReply('{"rating":5}'), { status: 404 })],
    ['an empty reply', answering('')],
    ['a reply that is no JSON', answering('rating: 5')],
    ['a reply of another shape', answering('{"rating":5}')],
    ['words instead of JSON', answering(chatReply('I would say 5'))],
    ['no rating', answering(chatReply('{"score":5}'))],
    ['a rating in quotes', answering(chatReply('{"rating":"5"}'))],
    ['a rating above the scale', answering(chatReply('{"rating":50}'))],
    ['a rating below the scale', answering(chatReply('{"rating":0}'))],
    ['a null reply', answering('null')],
    ['an oversized reply', answering(chatReply('{"rating":5}') + ' '.repeat(judgeReplyBytesMax))],
    ['no connection', () => Promise.reject(new TypeError('fetch failed'))],
    [
      'a fetch that throws at once',
      () => {
        throw new TypeError('bad address');
      },
    ],
  ] as [string, Fetch][])('%s is a refusal', async (_name, fetch) => {
    expect(await approves({ fetch })).toBe(false);
  });

  test('control: the same judge approves a rating of 5', async () => {
    expect(await approves({})).toBe(true);
  });

  test('a server that never answers is a refusal once the deadline passes', async () => {
    const silent: Fetch = (_input, init) =>
      new Promise((_resolve, reject) => {
        init?.signal?.addEventListener('abort', () => reject(init.signal?.reason));
      });
    expect(await approves({ deadlineMs: 1, fetch: silent })).toBe(false);
  });
});
