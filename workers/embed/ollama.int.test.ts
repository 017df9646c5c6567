/**
 * The Ollama embedder against a server of this test's own on the loopback interface, with the shapes of Ollama's API:
 * continuous integration has no real server and no model of its size. What is proved is this client's half.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text as readText } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { createEmbedder } from './choose.ts';
import { createOllamaEmbedder, type OllamaOptions, probeSpace } from './ollama.ts';

const neverAborted = new AbortController().signal;
const dimension = 4;
const requestSchema = z.object({ model: z.string(), input: z.array(z.string()), truncate: z.literal(true) });
type EmbedRequest = z.infer<typeof requestSchema>;

/** A text's vector, not of unit length: its length and the code of its first letter. */
function vectorOf(text: string): number[] {
  return [text.length, text.charCodeAt(0), 1, 0];
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function answerRight({ model, input }: EmbedRequest, response: ServerResponse): void {
  sendJson(response, 200, { model, embeddings: input.map(vectorOf), total_duration: 1, prompt_eval_count: 1 });
}

type Behaviour = (request: EmbedRequest, response: ServerResponse) => void;

/** Starts the server; `behaviour` may be changed while it runs, `requests` keeps what it was sent. */
async function startServer() {
  const state: { behaviour: Behaviour; requests: EmbedRequest[] } = { behaviour: answerRight, requests: [] };
  const handle = async (message: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (message.url !== '/api/embed' || message.method !== 'POST')
      return sendJson(response, 404, { error: 'no such page' });
    const request = requestSchema.parse(JSON.parse(await readText(message)));
    state.requests.push(request);
    state.behaviour(request, response);
  };
  const server = createServer((message, response) => void handle(message, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const stop = async (): Promise<void> => {
    server.closeAllConnections();
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  };
  return { state, host: `127.0.0.1:${port}`, stop };
}

describe('the Ollama embedder', () => {
  let server: Awaited<ReturnType<typeof startServer>>;
  beforeEach(async () => {
    server = await startServer();
  });
  afterEach(async () => {
    await server.stop();
    vi.restoreAllMocks();
  });

  function create(options: Partial<OllamaOptions> = {}) {
    return createOllamaEmbedder({ model: 'all-minilm', host: server.host, dimension, ...options }, neverAborted);
  }

  /** The failure of embedding two texts while the server behaves like this. */
  async function failureWith(behaviour: Behaviour, options: Partial<OllamaOptions> = {}): Promise<unknown> {
    server.state.behaviour = behaviour;
    const embedder = await create(options);
    const outcome = embedder.embed(['one', 'two'], 'document', neverAborted);
    return outcome.then(
      () => undefined,
      (error: unknown) => error,
    );
  }

  it('gives unit vectors in order, in requests of limited size', async () => {
    const embedder = await create({ batchTextsMax: 2 });
    const { vectors, truncated } = await embedder.embed(['a', 'bb', 'ccc'], 'document', neverAborted);
    expect(server.state.requests.map((request) => request.input)).toEqual([['a', 'bb'], ['ccc']]);
    vectors.forEach((vector, index) => {
      const raw = vectorOf(['a', 'bb', 'ccc'][index] ?? '');
      expect(vector).toEqual(Float32Array.from(raw, (value) => value / Math.hypot(...raw)));
    });
    expect(truncated).toEqual([false, false, false]);
    expect(embedder).toMatchObject({ name: 'ollama', space: { model: 'all-minilm', dimension, prefixScheme: 'none' } });
  });

  it('marks texts for models that want it, and cuts them with their mark', async () => {
    const embedder = await create({ model: 'nomic-embed-text-v2-moe' });
    const long = 'abc '.repeat(600);
    await embedder.embed(['forklift'], 'query', neverAborted);
    const { truncated } = await embedder.embed(['forklift', long], 'document', neverAborted);
    expect(embedder.space.prefixScheme).toBe('nomic');
    expect(truncated).toEqual([false, true]);
    const [query, documents] = server.state.requests;
    expect(query?.input).toEqual(['search_query: forklift']);
    expect(documents?.input[0]).toBe('search_document: forklift');
    // 512 tokens less two special ones and the six of `search_document:`.
    expect(documents?.input[1]).toBe(`search_document: ${'abc '.repeat(503)}`.trimEnd());
  });

  it('asks the server for the dimension where it is not told', async () => {
    expect(await probeSpace({ model: 'nomic-embed-text', host: server.host }, neverAborted)).toEqual({
      model: 'nomic-embed-text',
      dimension,
      prefixScheme: 'nomic',
    });
    const embedder = await createEmbedder({ kind: 'ollama', model: 'all-minilm', host: server.host });
    expect(embedder.space.dimension).toBe(dimension);
    server.state.behaviour = (request, response) => sendJson(response, 200, { ...request, embeddings: [] });
    await expect(probeSpace({ model: 'm', host: server.host }, neverAborted)).rejects.toMatchObject({
      reason: 'bad_reply',
    });
  });

  it('sends no request for an empty text or for a caller who has gone', async () => {
    const embedder = await create();
    await expect(embedder.embed(['a', ''], 'query', neverAborted)).rejects.toMatchObject({ textIndex: 1 });
    await expect(embedder.embed(['a'], 'query', AbortSignal.abort())).rejects.toMatchObject({ reason: 'deadline' });
    expect(server.state.requests).toEqual([]);
  });

  it('refuses an address that is none, or that carries a password', async () => {
    await expect(create({ host: 'http://' })).rejects.toThrow(/OLLAMA_HOST is not an address/);
    const withPassword = create({ host: 'http://user:secret@127.0.0.1:1' });
    await expect(withPassword).rejects.toThrow(/user name or password/);
    await expect(withPassword).rejects.not.toThrow(/secret/);
  });

  it('takes `model:latest` as the answer of `model`', async () => {
    expect(
      await failureWith(({ input }, response) =>
        answerRight({ model: 'all-minilm:latest', input, truncate: true }, response),
      ),
    ).toBe(undefined);
  });

  describe('tells failures apart', () => {
    it('down: an outage that names the host and what to do, and over when the server is back', async () => {
      const embedder = await create();
      await server.stop();
      await expect(embedder.embed(['a'], 'query', neverAborted)).rejects.toMatchObject({
        reason: 'outage',
        message: expect.stringMatching(
          new RegExp(`${server.host} cannot be reached \\(ECONNREFUSED\\).*ollama serve.*OLLAMA_HOST`),
        ),
      });
    });

    it.each([500, 502, 503, 429])('%d: an outage, after which the same request passes', async (status) => {
      const embedder = await create();
      server.state.behaviour = (_request, response) => sendJson(response, status, { error: 'busy just now' });
      const first = embedder.embed(['a'], 'query', neverAborted);
      await expect(first).rejects.toMatchObject({
        reason: 'outage',
        message: expect.stringContaining(`answered ${status} (busy just now)`),
      });
      server.state.behaviour = answerRight;
      expect((await embedder.embed(['a'], 'query', neverAborted)).vectors).toHaveLength(1);
    });

    it('404: the model is missing, with the command that installs it', async () => {
      expect(await failureWith((_request, response) => sendJson(response, 404, { error: 'what?' }))).toMatchObject({
        reason: 'model_missing',
        message: expect.stringContaining('`ollama pull all-minilm`'),
      });
    });

    it('reference 10.16: slow: one deadline for all requests of a call', async () => {
      const firstOnly: Behaviour = (request, response) => {
        if (server.state.requests.length === 1) answerRight(request, response);
      };
      expect(await failureWith(firstOnly, { deadlineMs: 200, batchTextsMax: 1 })).toMatchObject({ reason: 'deadline' });
      expect(server.state.requests).toHaveLength(2);
    });

    it('slow: the signal of the caller ends the request', async () => {
      const controller = new AbortController();
      server.state.behaviour = () => controller.abort();
      const embedder = await create();
      await expect(embedder.embed(['a'], 'query', controller.signal)).rejects.toMatchObject({ reason: 'deadline' });
    });

    const replies: readonly (readonly [string, unknown, RegExp])[] = [
      [
        'wrong dimension',
        {
          model: 'all-minilm',
          embeddings: [
            [1, 0],
            [1, 0],
          ],
        },
        /2 dimensions, all-minilm has 4/,
      ],
      ['fewer vectors', { model: 'all-minilm', embeddings: [vectorOf('one')] }, /2 texts were sent and 1 vectors/],
      ['more vectors', { model: 'all-minilm', embeddings: [1, 2, 3].map(() => [1, 0, 0, 0]) }, /3 vectors/],
      ['no vectors', { model: 'all-minilm', embeddings: [] }, /0 vectors/],
      [
        'null in a vector',
        { model: 'all-minilm', embeddings: [vectorOf('one'), [1, null, 0, 0]] },
        /vector 1 .*position 1/,
      ],
      ['a zero vector', { model: 'all-minilm', embeddings: [vectorOf('one'), [0, 0, 0, 0]] }, /vector 1 is all zero/],
      [
        'another model',
        { model: 'mxbai-embed-large', embeddings: [vectorOf('one'), vectorOf('two')] },
        /mxbai-embed-large answered/,
      ],
      ['no model', { embeddings: [vectorOf('one'), vectorOf('two')] }, /names no model/],
      ['a reply of another API', { model: 'all-minilm', data: [] }, /no list of vectors/],
      ['JSON that is no object', [1], /names no model/],
    ];
    it.each(replies)('%s: a bad reply', async (_name, body, message) => {
      expect(await failureWith((_request, response) => sendJson(response, 200, body))).toMatchObject({
        reason: 'bad_reply',
        message: expect.stringMatching(message),
      });
    });

    it.each([
      ['truncated JSON', '{"model":"all-minilm","embeddings":[[0.1,'],
      ['no JSON', '<html>It works!</html>'],
      ['NaN in JSON', '{"model":"all-minilm","embeddings":[[NaN,1,1,1],[1,1,1,1]]}'],
      ['nothing', ''],
    ])('%s: a bad reply', async (_name, body) => {
      expect(await failureWith((_request, response) => response.writeHead(200).end(body))).toMatchObject({
        reason: 'bad_reply',
      });
    });

    it('a reply without an end: a bad reply, read no further than the limit', async () => {
      const endless: Behaviour = (_request, response) => {
        response.on('error', () => {});
        response.writeHead(200);
        const more = (): void => {
          while (!response.destroyed && response.write(' '.repeat(65_536))) {}
        };
        response.on('drain', more);
        more();
      };
      expect(await failureWith(endless)).toMatchObject({
        reason: 'bad_reply',
        message: expect.stringContaining('longer than'),
      });
    });

    it('a connection that breaks in the middle of a reply: an outage', async () => {
      const breaking: Behaviour = (_request, response) => {
        response.writeHead(200, { 'content-length': '1000' });
        response.write('{"model":', () => response.destroy());
      };
      expect(await failureWith(breaking)).toMatchObject({ reason: 'outage' });
    });

    it('prints nothing, whatever the server sends with an error', async () => {
      const printed = (['log', 'warn', 'error', 'info'] as const).map((method) => vi.spyOn(console, method));
      const bodies: Behaviour[] = [
        (_request, response) => response.writeHead(500, { 'content-type': 'application/json' }).end('{"error":'),
        (_request, response) => response.writeHead(502, { 'content-type': 'text/html' }).end('<h1>Bad\n gateway</h1>'),
        (_request, response) => response.writeHead(503).end(),
      ];
      for (const behaviour of bodies) expect(await failureWith(behaviour)).toMatchObject({ reason: 'outage' });
      for (const spy of printed) expect(spy).not.toHaveBeenCalled();
    });
  });

  describe('when the server refuses a batch with 400', () => {
    const refusing =
      (refused: (request: EmbedRequest) => boolean): Behaviour =>
      (request, response) => {
        if (refused(request)) sendJson(response, 400, { error: 'the input length exceeds the context length' });
        else answerRight(request, response);
      };
    const texts = Array.from({ length: 20 }, (_, index) => `text ${index}`);

    it('finds the text that is refused alone, with its place in the request of the caller', async () => {
      server.state.behaviour = refusing(({ input }) => input.includes('text 13'));
      const embedder = await create({ batchTextsMax: 8 });
      await expect(embedder.embed(texts, 'document', neverAborted)).rejects.toMatchObject({
        reason: 'text_refused',
        textIndex: 13,
        message: expect.stringContaining('exceeds the context length'),
      });
      expect(server.state.requests.at(-1)?.input).toEqual(['hello']);
      expect(server.state.requests.length).toBeLessThanOrEqual(9);
    });

    it('embeds all of them where only their number was refused', async () => {
      server.state.behaviour = refusing(({ input }) => input.length > 3);
      const { vectors } = await (await create()).embed(texts, 'document', neverAborted);
      const raw = texts.map(vectorOf);
      expect(vectors).toEqual(raw.map((vector) => Float32Array.from(vector, (value) => value / Math.hypot(...vector))));
    });

    it('blames no text where the model refuses all of them', async () => {
      server.state.behaviour = refusing(() => true);
      const embedder = await create();
      await expect(embedder.embed(texts, 'document', neverAborted)).rejects.toMatchObject({
        reason: 'outage',
        textIndex: undefined,
        message: expect.stringContaining('refuses every text'),
      });
      await expect(probeSpace({ model: 'm', host: server.host }, neverAborted)).rejects.toMatchObject({
        reason: 'outage',
      });
    });
  });
});
