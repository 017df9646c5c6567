import { Parser } from '@asyncapi/parser';
import { Validator } from '@seriousme/openapi-schema-validator';
import { describe, expect, it } from 'vitest';
import { operations } from '../../schemas/operations.ts';
import { testGateway } from '../app-fixtures.ts';
import { forwards } from './forwards.ts';

/** Pages and documents, which the document does not list. */
const unlisted = /^(GET|HEAD) \/(docs|openapi\.json|asyncapi\.json)/;

/** The routes in the tree that Fastify prints, a depth being four characters. */
function routesOf(tree: string): string[] {
  const above: string[] = [];
  return tree.split('\n').flatMap((line) => {
    const [, indent = '', segment = '', methods = ''] = /^([│├└─ ]*)(\S+)(?: \(([A-Z, ]+)\))?$/.exec(line) ?? [];
    const depth = indent.length / 4;
    const path = `${depth > 1 ? above[depth - 1] : ''}${segment}`;
    above[depth] = path;
    return methods === '' ? [] : methods.split(', ').map((method) => `${method} ${path}`);
  });
}

describe('the contract of the gateway', () => {
  it('lists every route there is, and no other', async () => {
    const { app } = testGateway();
    await app.ready();
    const routes = routesOf(app.printRoutes({ commonPrefix: false }));
    const served = routes.filter((route) => !route.startsWith('HEAD ') && !unlisted.test(route));
    const told = operations.map(({ method, path }) => `${method} ${path.replace(/\{(\w+)\}/g, ':$1')}`);
    expect(served.length).toBeGreaterThan(10);
    expect(told.sort()).toEqual(served.sort());
  });

  it('names the service that answers each forwarded path', () => {
    const told = operations.filter(({ subject }) => subject !== undefined);
    expect(told.map(({ method, path, subject }) => `${method} ${path} ${subject}`).sort()).toEqual(
      forwards.map(({ method, url, subject }) => `${method} ${url.replace(/:(\w+)/g, '{$1}')} ${subject}`).sort(),
    );
  });

  it('is valid OpenAPI 3.1, with every parameter of a path told', async () => {
    const { app } = testGateway();
    const document = (await app.inject('/openapi.json')).json();
    const result = await new Validator().validate(document);
    expect(result).toMatchObject({ valid: true });
    for (const { path, parameters } of operations) {
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      expect(Object.keys(parameters?.shape ?? {}).sort(), path).toEqual(inPath.sort());
    }
  });

  it('is found invalid by the same validator where it is damaged', async () => {
    const { app } = testGateway();
    const document = (await app.inject('/openapi.json')).json();
    delete document.info.title;
    expect(await new Validator().validate(document)).toMatchObject({ valid: false });
  });

  it('tells the fields of a search and of its answer', async () => {
    const { app } = testGateway();
    const { components, paths } = (await app.inject('/openapi.json')).json();
    expect(components.schemas.MatrixSearchRequest.properties.corpora).toMatchObject({ type: 'array', minItems: 1 });
    expect(components.schemas.MatrixSearchRequest.required).toEqual(['corpora']);
    expect(components.schemas.MatrixSearchReply.required).toContain('playbook_boosted');
    expect(paths['/v1/matrix/search'].post.responses['401'].description).toContain('unauthorized');
  });

  it('is valid AsyncAPI 3, and invalid where it is damaged', async () => {
    const { app } = testGateway();
    const text = (await app.inject('/asyncapi.json')).body;
    const errorsOf = async (source: string) =>
      (await new Parser().validate(source)).filter(({ severity }) => severity === 0).map(({ message }) => message);
    expect(await errorsOf(text)).toEqual([]);
    const { info: _info, ...damaged } = JSON.parse(text);
    expect(await errorsOf(JSON.stringify(damaged))).not.toEqual([]);
  });

  it('answers without a token, and the page holds nothing from elsewhere', async () => {
    const { app } = testGateway({ options: { token: 'secret' } });
    for (const url of ['/openapi.json', '/asyncapi.json', '/docs', '/docs/start.js', '/docs/swagger-ui-bundle.js'])
      expect((await app.inject(url)).statusCode, url).toBe(200);
    const page = await app.inject('/docs');
    expect(page.headers['content-type']).toContain('text/html');
    expect(page.body).not.toMatch(/https?:/);
    expect((await app.inject('/v1/index/info')).statusCode).toBe(401);
    expect((await app.inject('/docs/../v1/index/info')).statusCode).toBe(401);
  });
});
