import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { asyncApiDocument } from '../../schemas/contracts/asyncapi.ts';
import { openApiDocument } from '../../schemas/contracts/openapi.ts';
import { jsonType } from '../replies.ts';

/** What the page at `/docs` is made of: files of swagger-ui-dist, by the names under which they are asked for. */
const pageFiles: Readonly<Record<string, string>> = {
  'swagger-ui.css': 'text/css',
  'swagger-ui-bundle.js': 'text/javascript',
};

/**
 * `/openapi.json`, `/asyncapi.json` and `/docs`: the contract, made of the schemas that requests are checked with. Open,
 * as a browser asks for pages without a token; they tell nothing of this installation.
 */
export function contractRoutes(app: FastifyInstance): void {
  const openApi = lazily(() => JSON.stringify(openApiDocument()));
  const asyncApi = lazily(() => JSON.stringify(asyncApiDocument()));
  app.get('/openapi.json', (_request, reply) => reply.type(jsonType).send(openApi()));
  app.get('/asyncapi.json', (_request, reply) => reply.type(jsonType).send(asyncApi()));
  app.get('/docs', (_request, reply) =>
    reply.header('content-security-policy', pagePolicy).type('text/html').send(page),
  );
  app.get('/docs/start.js', (_request, reply) => reply.type('text/javascript').send(startScript));
  for (const [name, type] of Object.entries(pageFiles))
    app.get(`/docs/${name}`, async (_request, reply) => reply.type(type).send(await readPageFile(name)));
}

function lazily(make: () => string): () => string {
  let made: string | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

function readPageFile(name: string): Promise<Buffer> {
  const folder = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
  return readFile(join(folder, name));
}

/** Nothing but its own files, so that the page can be opened beside anything. */
const pagePolicy = "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'";

const startScript = "SwaggerUIBundle({ url: '/openapi.json', dom_id: '#page', deepLinking: true });\n";

const page = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Lakehouse gateway</title>
    <link rel="stylesheet" href="/docs/swagger-ui.css">
  </head>
  <body>
    <div id="page"></div>
    <script src="/docs/swagger-ui-bundle.js"></script>
    <script src="/docs/start.js"></script>
  </body>
</html>
`;
