import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { text as readText } from 'node:stream/consumers';
import { z } from 'zod';
import { createEmbedder } from '../../../workers/embed/choose.ts';

/**
 * Stands in for Ollama where its image can not be had: `serve`, `list` and `pull` as a compose file uses them, and
 * `/api/embed`, `/api/tags` and `/api/pull` in Ollama's shapes. Every model that was pulled answers with the vectors of
 * the embedded model; one that was not is a 404.
 */
const modelsFolder = process.env.OLLAMA_MODELS ?? '/models';
const port = 11_434;
const embedSchema = z.object({ model: z.string(), input: z.array(z.string()) });
const pullSchema = z.object({ model: z.string().regex(/^[a-z0-9][a-z0-9.:_-]{0,127}$/) });

const [action, model] = process.argv.slice(2);
const host = process.env.OLLAMA_HOST ?? '';
// The server's own address is where it listens; on the command line it is whom to ask.
const server = `http://${host.replace(/^https?:\/\//, '').replace('0.0.0.0', '127.0.0.1') || `127.0.0.1:${port}`}`;
if (action === 'serve') await serve();
else if (action === 'list') await ask('/api/tags');
else if (action === 'pull') await ask('/api/pull', { model });
else process.exitCode = 2;

async function ask(path: string, body?: object): Promise<void> {
  const init = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
  const response = await fetch(`${server}${path}`, init);
  process.stdout.write(`${await response.text()}\n`);
  process.exitCode = response.ok ? 0 : 1;
}

async function serve(): Promise<void> {
  const embedder = await createEmbedder({ kind: 'minilm', threads: 1 });
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const send = (status: number, body: object) => response.writeHead(status).end(JSON.stringify(body));
    if (request.url === '/api/tags') return send(200, { models: readdirSync(modelsFolder).map((name) => ({ name })) });
    const body: unknown = JSON.parse(await readText(request));
    if (request.url === '/api/pull') {
      writeFileSync(join(modelsFolder, pullSchema.parse(body).model), '');
      return send(200, { status: 'success' });
    }
    if (request.url !== '/api/embed') return send(404, { error: 'no such page' });
    const { model: asked, input } = embedSchema.parse(body);
    if (!existsSync(join(modelsFolder, asked))) return send(404, { error: `model "${asked}" not found` });
    const { vectors } = await embedder.embed(input, 'document', AbortSignal.timeout(60_000));
    return send(200, { model: asked, embeddings: vectors.map((vector) => [...vector]) });
  };
  mkdirSync(modelsFolder, { recursive: true });
  createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      response.writeHead(400).end(JSON.stringify({ error: String(error) }));
    });
  }).listen(port, '0.0.0.0');
}
