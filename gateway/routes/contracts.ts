import { readFileSync } from 'node:fs';
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
  // Made once, and the same bytes for everybody: whoever asks often, and reads nothing, makes no copies.
  const openApi = lazily(() => Buffer.from(JSON.stringify(openApiDocument())));
  const asyncApi = lazily(() => Buffer.from(JSON.stringify(asyncApiDocument())));
  app.get('/openapi.json', (_request, reply) => reply.type(jsonType).send(openApi()));
  app.get('/asyncapi.json', (_request, reply) => reply.type(jsonType).send(asyncApi()));
  app.get('/docs', (_request, reply) =>
    reply.header('content-security-policy', pagePolicy).type('text/html').send(page),
  );
  app.get('/docs/start.js', (_request, reply) => reply.type('text/javascript').send(startScript));
  for (const [name, type] of Object.entries(pageFiles)) {
    const file = lazily(() => readPageFile(name));
    app.get(`/docs/${name}`, (_request, reply) => reply.type(type).send(file()));
  }
}

function lazily(make: () => Buffer): () => Buffer {
  let made: Buffer | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

function readPageFile(name: string): Buffer {
  const folder = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
  return readFileSync(join(folder, name));
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
