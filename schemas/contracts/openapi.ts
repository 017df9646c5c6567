import type { z } from 'zod';
import type { Body, Operation } from '../operation.ts';
import { operations } from '../operations.ts';
import { type ProblemCode, problems } from '../problems.ts';
import { contractVersion, type JsonSchema, jsonSchema } from './json-schema.ts';

/** Problems that every path but the open ones may answer, before its own work begins. */
const edgeProblems: readonly ProblemCode[] = ['unauthorized', 'forbidden', 'payload_too_large', 'rate_limited'];

/** The OpenAPI 3.1 document of the gateway, made of the operations and the schemas that they name. */
export function openApiDocument(): JsonSchema {
  const schemas: Record<string, JsonSchema> = { Problem: problemJsonSchema };
  const paths: Record<string, Record<string, unknown>> = {};
  for (const operation of operations) {
    const path = paths[operation.path] ?? {};
    path[operation.method.toLowerCase()] = operationObject(operation, schemas);
    paths[operation.path] = path;
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Lakehouse gateway',
      version: contractVersion,
      summary: 'A search pipeline that learns from what people chose',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: 'http://127.0.0.1:3110', description: 'the default of a machine that runs it by itself' }],
    security: [{ bearer: [] }],
    tags: [...new Set(operations.map(({ tag }) => tag))].map((name) => ({ name })),
    paths,
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'the token that the operator set, where one is set' },
      },
      schemas,
    },
  };
}

function operationObject(operation: Operation, schemas: Record<string, JsonSchema>): JsonSchema {
  const { id, requests = [], parameters, query, headers } = operation;
  const named = (body: Body, name: string, side: 'input' | 'output') => {
    schemas[name] = jsonSchema(body.schema, side);
    return { [body.mediaType]: { schema: { $ref: `#/components/schemas/${name}` } } };
  };
  const replies = Object.entries(operation.replies).map(([status, { description, body }]) => {
    const name = `${capital(id)}Reply${Object.keys(operation.replies).length > 1 ? status : ''}`;
    return [status, { description, ...(body === undefined ? {} : { content: named(body, name, 'output') }) }];
  });
  const content = requests.map((body, index) =>
    named(body, `${capital(id)}Request${index === 0 ? '' : index + 1}`, 'input'),
  );
  return {
    operationId: id,
    tags: [operation.tag],
    summary: operation.summary,
    ...(operation.open === true ? { security: [] } : {}),
    parameters: [
      ...parameterObjects(parameters, 'path'),
      ...parameterObjects(query, 'query'),
      ...parameterObjects(headers, 'header'),
    ],
    ...(content.length === 0 ? {} : { requestBody: { required: true, content: Object.assign({}, ...content) } }),
    responses: { ...problemResponses(operation), ...Object.fromEntries(replies) },
  };
}

function parameterObjects(schema: z.ZodObject | undefined, place: 'path' | 'query' | 'header'): JsonSchema[] {
  if (schema === undefined) return [];
  const { properties = {}, required = [] } = jsonSchema(schema, 'input') as {
    properties?: Record<string, JsonSchema>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    schema: property,
  }));
}

/** One response a status; where several problems share it, each is named. */
function problemResponses({ open, problems: own = [] }: Operation): Record<string, JsonSchema> {
  const codes = [...new Set([...(open === true ? [] : edgeProblems), ...own])];
  const byStatus = new Map<number, ProblemCode[]>();
  for (const code of codes) {
    const { status } = problems[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return Object.fromEntries(
    [...byStatus].map(([status, shared]) => [
      String(status),
      {
        description: shared.map((code) => `\`${code}\`: ${problems[code].title}`).join('; '),
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    ]),
  );
}

const problemJsonSchema: JsonSchema = {
  type: 'object',
  description: 'RFC 9457 problem details; further members tell what the problem is about',
  required: ['type', 'title', 'status', 'code', 'detail'],
  properties: {
    type: { type: 'string', format: 'uri' },
    title: { type: 'string' },
    status: { type: 'integer' },
    code: { type: 'string', enum: Object.keys(problems) },
    detail: { type: 'string' },
  },
};

function capital(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}
