import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { z } from 'zod';

/**
 * How an Ollama server may fail.
 * - `down`: nothing listens
 * - `slow`: it answers behind every deadline
 * - `fewer`: fewer vectors than texts
 * - `other model`: another model than was asked answers
 * - `truncated`: the JSON breaks off
 * - `refusing`: it refuses texts that begin with `refused`, as one that is too long for the model
 */
export const ollamaFaults = [
  'down',
  'error 500',
  'slow',
  'wrong dimension',
  'fewer',
  'other model',
  'truncated',
  'not finite',
  'zero',
  'refusing',
] as const;
export type OllamaFault = (typeof ollamaFaults)[number];

/** A server with the shapes of Ollama's API that fails as it is told to. */
export interface OllamaDouble extends AsyncDisposable {
  /** For `OLLAMA_HOST`. */
  readonly host: string;
  /** How it fails from now on; undefined: it does not. */
  fail(fault: OllamaFault | undefined): Promise<void>;
  /** Requests that met a fault since it was told of it. */
  readonly failed: () => number;
  readonly requests: () => number;
}

const requestSchema = z.object({ model: z.string(), input: z.array(z.string()) });
type EmbedRequest = z.output<typeof requestSchema>;

/** The vector of a text, of unit length: the same whoever asks. */
export function vectorOfText(text: string, dimension: number): Float32Array {
  const bytes = createHash('sha512').update(text).digest();
  const raw = Array.from({ length: dimension }, (_, at) => bytes.readUInt8(at % bytes.length) - 127.5);
  const norm = Math.hypot(...raw);
  return Float32Array.from(raw, (value) => value / norm);
}

/** On loopback, for one model of a dimension up to 64. */
export async function startOllamaDouble(dimension: number): Promise<OllamaDouble> {
  let fault: OllamaFault | undefined;
  let [failed, requests] = [0, 0];
  const open = new Set<ServerResponse>();
  const handle = async (message: IncomingMessage, response: ServerResponse) => {
    open.add(response);
    response.once('close', () => open.delete(response));
    const asked = requestSchema.parse(await json(message));
    requests++;
    const met = fault;
    if (met === 'refusing' ? asked.input.some((text) => text.startsWith('refused')) : met !== undefined) failed++;
    answer(met, asked, response, dimension);
  };
  const server = createServer((message, response) => {
    handle(message, response).catch(() => response.destroy());
  });
  const listen = async (port: number) => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  };
  await listen(0);
  const { port } = server.address() as AddressInfo;
  const close = async () => {
    if (!server.listening) return;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return {
    host: `http://127.0.0.1:${port}`,
    failed: () => failed,
    requests: () => requests,
    fail: async (next) => {
      fault = next;
      failed = 0;
      // Whoever waits for a slow answer is not answered when it is over.
      for (const response of open) response.destroy();
      if (next === 'down') await close();
      else if (!server.listening) await listen(port);
    },
    [Symbol.asyncDispose]: close,
  };
}

function answer(
  fault: OllamaFault | undefined,
  asked: EmbedRequest,
  response: ServerResponse,
  dimension: number,
): void {
  const { model, input } = asked;
  const vectors = input.map((text) => [...vectorOfText(text, dimension)]);
  const send = (status: number, body: unknown) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  const say = (embeddings: unknown, by = model) => send(200, { model: by, embeddings, total_duration: 1 });
  switch (fault) {
    case 'error 500':
      return void send(500, { error: 'injected: the runner ended' });
    case 'slow':
      return;
    case 'wrong dimension':
      return void say(vectors.map((vector) => vector.slice(1)));
    case 'fewer':
      return void say(vectors.slice(1));
    case 'other model':
      return void say(
        vectors.map((vector) => vector.map((value) => -value)),
        'another-model',
      );
    case 'truncated': {
      const text = JSON.stringify({ model, embeddings: vectors });
      return void response.writeHead(200).end(text.slice(0, text.length - 12));
    }
    case 'not finite':
      return void say(vectors.map((vector) => [null, ...vector.slice(1)]));
    case 'zero':
      return void say(vectors.map((vector) => vector.map(() => 0)));
    case 'refusing':
      if (input.some((text) => text.startsWith('refused')))
        return void send(400, { error: 'injected: the input is longer than the model takes' });
      return void say(vectors);
    default:
      return void say(vectors);
  }
}
