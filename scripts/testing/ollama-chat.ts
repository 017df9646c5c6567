import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { z } from 'zod';

const requestSchema = z.object({ model: z.string(), messages: z.array(z.object({ content: z.string() })) });
export type ChatAsked = z.output<typeof requestSchema>;

/** Ollama's chat over HTTP, on loopback. */
export interface TestChat {
  readonly host: string;
  /** What it was asked, in order. */
  readonly asked: readonly ChatAsked[];
  stop(): void;
}

/** Always gives one answer; a model named `broken` fails. */
export async function startTestChat(content: string): Promise<TestChat> {
  const asked: ChatAsked[] = [];
  const server = createServer(async (request, response) => {
    const { model, messages } = requestSchema.parse(await json(request));
    asked.push({ model, messages });
    const broken = model === 'broken';
    response.writeHead(broken ? 500 : 200, { 'content-type': 'application/json' });
    const reply = broken ? { error: 'out of memory' } : { model, message: { role: 'assistant', content }, done: true };
    response.end(JSON.stringify(reply));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    host: `http://127.0.0.1:${port}`,
    asked,
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
