import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';

const requestSchema = z.object({ model: z.string(), input: z.array(z.string()) });

/** A double of Ollama's `/api/embed` on loopback that takes its time. */
export interface SlowEmbedder extends AsyncDisposable {
  readonly host: string;
  /** From now on each text takes so long, one after the other as on one busy core. */
  setTextMs(textMs: number): void;
  readonly texts: () => number;
}

/** A text has the same vector whenever it is asked for. */
export async function startSlowEmbedder(dimension: number): Promise<SlowEmbedder> {
  let textMs = 0;
  let texts = 0;
  const server = createServer((request, response) => {
    void (async () => {
      const { model, input } = requestSchema.parse(JSON.parse(await text(request)));
      if (textMs > 0) await delay(textMs * input.length);
      texts += input.length;
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ model, embeddings: input.map((one) => vectorOf(one, dimension)) }));
    })().catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    host: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    setTextMs: (milliseconds) => {
      textMs = milliseconds;
    },
    texts: () => texts,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function vectorOf(one: string, dimension: number): number[] {
  const bytes = createHash('sha256').update(one, 'utf8').digest();
  return Array.from({ length: dimension }, (_, at) => 1 + (bytes[at % bytes.length] ?? 0));
}
